"""The screens of C."""
