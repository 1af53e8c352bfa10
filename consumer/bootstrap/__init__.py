"""The one place that knows every adapter: it wires the services and hands them to the command."""
