"""What can go wrong in the sandbox: one error, whose message says what happened and what to do about it."""


class SandboxError(Exception):
    """A server of the sandbox cannot be had, did not come up, or does not answer."""
