"""What the rules of a registry say of a change: changes × rules → judgements. No I/O."""
