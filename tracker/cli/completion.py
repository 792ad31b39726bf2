"""`soleus completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click

_ADVICE = {
    "bash": 'Add this to ~/.bashrc: eval "$(soleus completion bash)"',
    "zsh": 'Add this to ~/.zshrc: eval "$(soleus completion zsh)"',
    "fish": "Write this to ~/.config/fish/completions/soleus.fish",
}


@click.command("completion", epilog="\n\n".join(_ADVICE.values()))
@click.argument("shell", type=click.Choice(list(_ADVICE)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise TypeError(f"click does not know {shell}")
    click.echo(made(ctx.find_root().command, {}, "soleus", "_SOLEUS_COMPLETE").source())
