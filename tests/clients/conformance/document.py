"""`docs/compatibility.md`: what the run has shown, in the frame that people wrote."""

from pathlib import Path

from support.server import REPOSITORY

DOCUMENT = REPOSITORY / "docs/compatibility.md"
TEMPLATE = Path(__file__).with_name("compatibility.template.md")
COLUMNS = (
    "Operation", "Who may call", "Succeeds", "Constraints", "Required members", "Members of the answer seen",
    "Errors seen",
)  # fmt: skip
HEADING = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n"


def render(cognito_identity, sts):
    """The document for these findings, two lists of operations."""
    template = TEMPLATE.read_text()
    for place, operations in {"cognito-identity": cognito_identity, "sts": sts}.items():
        marker = f"<!-- table: {place} -->"
        assert template.count(marker) == 1
        template = template.replace(marker, HEADING + "".join(map(_row, operations)).rstrip("\n"))
    return template


def _row(operation):
    seen = len(operation.seen_members), len(operation.output_members)
    cells = [
        operation.name,
        "everybody" if operation.is_public else "signed",
        "yes" if operation.has_succeeded else "**not yet**",
        _share(*operation.share(required=False)),
        _share(*operation.share(required=True)),
        _share(*seen),
        ", ".join(f"`{code}`" for code in sorted(operation.errors)),
    ]
    return f"| {' | '.join(cells)} |\n"


def _share(shown, of):
    if of == 0:
        return "none"
    return f"all {of}" if shown == of else f"{shown} of {of}"
