"""`gatehold certs`: what the webhook for evictions needs, made once with the installer's rights. No key is ever printed."""
