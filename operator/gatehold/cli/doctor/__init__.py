"""`gatehold doctor`: is the gate shut, who holds a key, and can it be opened by the right people.

Each room looks at one thing and returns findings; what may not be read is a finding too, never silence.
"""

from gatehold.cli.doctor.examination import examine

__all__ = ["examine"]
