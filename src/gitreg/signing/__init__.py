"""Signatures of persons: SSH signatures, allowed signers, and the statement that an approval signs."""
