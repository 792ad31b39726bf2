"""Push through apprise: off unless an address is set, and really sent to one that is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tracker.channels import push
from tracker.channels.message import Message
from tracker.channels.push import PushChannel

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise imports it

STILL = Message("Still for 30 minutes", "Twenty push-ups.")


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A server of this machine that keeps what it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    got: list[dict[str, Any]] = []
    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        made.got = got  # type: ignore[attr-defined]
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


async def test_it_is_sent(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Title and text arrive at the address; a quiet message is not sent."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    pytest.importorskip("apprise")
    channel = PushChannel([f"json://127.0.0.1:{server.server_port}"])
    assert (await channel.tell(STILL, print)).done
    assert (await channel.tell(Message("a", "b", quiet=True), print)).done
    (got,) = server.got  # type: ignore[attr-defined]
    assert (got["title"], got["message"]) == (STILL.title, STILL.text)


@pytest.mark.parametrize(
    ("addresses", "installed", "why"),
    [
        ([], True, "no address is set, so nothing is sent: set `push` in the settings."),
        (["json://x"], False, "apprise is not installed: pip install 'soleus-tracker[push]'."),
        (["json://x", "secret-word"], True, "apprise does not understand address 2 of `push` in the settings."),
    ],
)
async def test_what_is_in_the_way(
    addresses: list[str], installed: bool, why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence that never shows an address: there are passwords in them."""
    if installed and addresses:
        pytest.importorskip("apprise")
    if not installed:
        monkeypatch.setattr(push, "find_spec", lambda _name: None)
    told = await PushChannel(addresses).tell(STILL, print)
    assert (told.done, told.why) == (False, why)
    assert "secret-word" not in "".join(capsys.readouterr())
