"""What every command of the command line does with its words."""

from typing import Any

from typer.core import TyperCommand

from slmfit.errors import UsageError


class Verb(TyperCommand):
    """A command that refuses an option of one value that is given twice: the parser would keep the last in silence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = args[: args.index("--")] if "--" in args else args
        given = [word.partition("=")[0] for word in words]
        for param in self.params:
            single = not getattr(param, "multiple", True) and not getattr(param, "is_flag", True)
            names = param.opts
            if single and sum(map(given.count, names)) > 1:
                raise UsageError(f"{max(names, key=len)} is given twice", fix="give it once: only the last would count")
        return super().parse_args(ctx, args)
