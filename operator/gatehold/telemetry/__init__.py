"""What people see of the operator from outside: metrics, Events, logs, notices.

Names and labels are constants. Everybody in the shell may call it; nothing here can fail or delay its caller.
"""
