"""The wire contract: what shops send and what they get back."""
