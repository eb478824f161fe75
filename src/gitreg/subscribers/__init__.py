"""Tells others what happened: webhooks, their signed deliveries, and what was delivered already."""
