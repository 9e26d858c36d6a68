"""Migration assistant for accounts moving from legacy permissions to Roles and Permissions."""

__version__ = "0.1.0"
