"""A newcomer's machine in a container: bare, with an engine of its own, and the README's commands as printed."""
