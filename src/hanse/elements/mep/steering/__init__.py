"""Leading devices to the instance that is theirs: by names, by addresses, by HTTP redirection."""
