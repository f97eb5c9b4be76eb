"""`kubectl drain` itself, held until people have said yes: the real program against the webhook."""
