"""The final output of commands: values in, rich text out."""
