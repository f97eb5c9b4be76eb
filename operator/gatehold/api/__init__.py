"""The wire: bodies of our kinds and of Jobs to domain values, and back. Pure; anybody may call it.

`parse*` return a typed value or raise ParseError with the path and the reason; `render*` return plain JSON values.
"""
