"""The operator with less patience: a test does not wait minutes for what the product gives minutes.

Start it with `Launch(module="tests.e2e.hasty")`. Nothing else differs from `gatehold run`.
"""

from datetime import timedelta

from gatehold.cli.main import main
from gatehold.domain.effects import pods

PATIENCE = timedelta(seconds=2)

if __name__ == "__main__":
    pods.PATIENCE = PATIENCE
    main()
