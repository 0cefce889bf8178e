"""Makes sealed files and certificates inside tests/cases anew: python tests/make_sealed_cases.py [CASE...]

Keys, serial numbers, tokens and recipients follow from the name of the case, so certificates are the same each time.
Sealed files are not: sops and meshc take a new data key, new nonces and the time for each, age and RSA-OAEP new
randomness, and meshc's signature in a sealed file is another one each time. Run pytest --update afterwards, and read
the diff.
"""

from __future__ import annotations

import shutil
import sys

from sealed_cases import proofs, secrets, trust
from sealed_cases.making import MAKERS, make
from support.cases import find_case

MODULES = (trust, secrets, proofs)
"""Each of them adds its cases to MAKERS when it is imported."""


def rewrite(name: str) -> None:
    """Puts what is made for a case into its folder, in place of its sealed files and certificates."""
    files, case = make(name), find_case(name)
    for folder in {path.partition("/")[0] for path in files} & {"sealed", "certificates"}:
        shutil.rmtree(case / folder, ignore_errors=True)
    for path, data in files.items():
        (case / path).parent.mkdir(parents=True, exist_ok=True)
        (case / path).write_bytes(data)


if __name__ == "__main__":
    for name in sys.argv[1:] or MAKERS:
        rewrite(name)
