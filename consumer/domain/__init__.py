"""The rules, pure: standard library only, no async, no clock."""
