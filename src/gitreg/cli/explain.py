"""``gitreg explain``: the rules behind the codes of findings."""

from __future__ import annotations

import click

from gitreg.cli.options import RULE, json_option
from gitreg.cli.output import block, document, line, table


@click.command("explain")
@click.argument("code", type=RULE, required=False)
@json_option
def command(code: str | None, as_json: bool) -> None:
    """Explain a rule by its code (GR012), or list all rules."""
    from gitreg.manifest.rules import RULES, rule
    from gitreg.render.values import plain

    if code is None:
        if as_json:
            document([plain(each) for each in RULES.values()])
        else:
            table(("code", "rule"), [(each.code, each.title) for each in RULES.values()])
        return
    found = rule(code)
    if as_json:
        document(plain(found))
        return
    line(f"{found.code}: {found.title}")
    line()
    line(found.why)
    for title, example in (("Wrong", found.wrong), ("Right", found.right)):
        line()
        line(f"{title}:")
        block("\n".join(f"  {row}".rstrip() for row in example.strip("\n").split("\n")))
