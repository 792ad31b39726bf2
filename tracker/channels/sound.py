"""A short soft sound, played by what the system brings along."""

from __future__ import annotations

import asyncio
import math
import shutil
import sys
import wave
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

from tracker.channels.message import Answered, Delivery, Message
from tracker.home import FILE_MODE, Home

RATE_HZ = 22_050
NOTES_HZ = (523.25, 659.26)
"""C5 and E5: a third that rises, unlike the sound of an error."""
NOTE_S, LOUDNESS = 0.35, 0.25

PLAYERS = (("pw-play",), ("paplay",), ("aplay", "-q"), ("ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"))
"""Of PipeWire, PulseAudio, ALSA and FFmpeg."""

PLAY_WITHIN_S = 5.0

Look = Callable[[str], str | None]


class SoundChannel:
    """A chime."""

    name = "sound"

    def __init__(self, home: Home, platform: str = sys.platform, look: Look = shutil.which) -> None:
        """A chime that is kept in a home's folder.

        Args:
            home: the data folder.
            platform: as `sys.platform`.
            look: finds a program, as `shutil.which`.
        """
        self._file = home.root / "chime.wav"
        self._platform, self._look = platform, look

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        """Play it; a message that is not to be heard makes no sound."""
        if message.quiet or not message.sound:
            return Delivery(self.name, True)
        if not self._file.exists():
            write_chime(self._file)
        if self._platform == "win32":
            return await self._play_on_windows()
        command = self._command()
        if command is None:
            players = ", ".join(player for player, *_ in PLAYERS)
            return Delivery(self.name, False, f"nothing here plays sounds: install one of {players}.")
        return await self._play(command)

    async def withdraw(self, slot: str) -> None:
        """A sound that was heard stays heard."""

    def _command(self) -> list[str] | None:
        players: Sequence[Sequence[str]] = (("afplay",),) if self._platform == "darwin" else PLAYERS
        for player, *options in players:
            if path := self._look(player):
                return [path, *options, str(self._file)]
        return None

    async def _play(self, command: Sequence[str]) -> Delivery:
        quiet = asyncio.subprocess.DEVNULL
        player = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
        try:
            async with asyncio.timeout(PLAY_WITHIN_S):
                code = await player.wait()
        except TimeoutError:
            player.kill()
            await player.wait()
            return Delivery(self.name, False, f"{Path(command[0]).name} hung: is a sound device there?")
        if code:
            return Delivery(
                self.name, False, f"{Path(command[0]).name} could not play (exit code {code}): is a sound device there?"
            )
        return Delivery(self.name, True)

    async def _play_on_windows(self) -> Delivery:
        def play() -> None:
            if sys.platform == "win32":
                import winsound

                winsound.PlaySound(str(self._file), winsound.SND_FILENAME | winsound.SND_NODEFAULT)

        try:
            await asyncio.to_thread(play)
        except RuntimeError as error:
            return Delivery(self.name, False, f"Windows could not play it ({error}): is a sound device there?")
        return Delivery(self.name, True)


def write_chime(path: Path) -> None:
    """Make the sound: two notes that fade, 16 bit mono.

    Args:
        path: where the WAV file goes; its folder must exist.
    """
    count = round(NOTE_S * RATE_HZ)
    samples = array("h")
    for pitch_hz in NOTES_HZ:
        for number in range(count):
            fade = min(number / 200, 1.0) * math.exp(-4.0 * number / count)
            samples.append(round(32767 * LOUDNESS * fade * math.sin(2 * math.pi * pitch_hz * number / RATE_HZ)))
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    path.chmod(FILE_MODE)
