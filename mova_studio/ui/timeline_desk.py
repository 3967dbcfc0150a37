"""What the Timeline's page asks of the studio: timelines, what to put on them, changes. Nothing here needs a page."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from mova_studio.errors import AccessDenied, InputError, StudioError
from mova_studio.library.query import Query
from mova_studio.library.store import TakeStore
from mova_studio.media.rate import exact_rate
from mova_studio.timeline.arguments import Arguments
from mova_studio.timeline.document import Document, State
from mova_studio.timeline.library_media import LibraryMedia
from mova_studio.timeline.model import Timeline
from mova_studio.timeline.shelf import Entry, Shelf
from mova_studio.ui.caller import Caller
from mova_studio.ui.catalogue import say
from mova_studio.ui.reading import uploaded
from mova_studio.ui.served import ServedTakes
from mova_studio.ui.timeline_bin import Bin
from mova_studio.ui.timeline_export import FilmExport, Wish
from mova_studio.ui.timeline_files import file_of, read_otio
from mova_studio.ui.timeline_media import Drawings
from mova_studio.ui.timeline_presets import PresetList
from mova_studio.ui.timeline_proxy import Proxies
from mova_studio.ui.timeline_state import Media, state_of
from mova_studio.ui.translated import translate

BIN_TAKES = 60
MAX_SEARCH = 200
_PLAIN = (640, 352, Fraction(24))
Answer = dict[str, Any]
Act = Callable[[dict[str, Any], Caller], Answer]


class TimelineDesk:
    """The functions of the page by their names without "timeline_", each from an object to an object.

    Args:
        store: the library's takes.
        served: their files in the browser's cache.
        read_only: why the library cannot be changed; "" where it can.
    """

    def __init__(self, store: TakeStore, served: ServedTakes, read_only: str = "") -> None:
        self.store, self.served, self.read_only = store, served, read_only
        self.library = LibraryMedia(store, read_only)
        self.media = Media(self.library, served, Drawings())
        self.bin = Bin(self.media)
        self.shelf = Shelf(store.root, read_only, self.library.relink)
        self.exports, self.proxies = FilmExport(self.library, served), Proxies()
        self.presets = PresetList()
        self.acts: dict[str, Act] = {
            "open": self.open,
            "list": self.listing,
            "takes": self.takes,
            "others": self.others,
            "strips": self.strips,
            "do": self.do,
            "new": self.new,
            "rename": self.rename,
            "duplicate": self.duplicate,
            "delete": self.delete,
            "restore": self.restore,
            "uploaded": self.uploaded,
            "files": self.files,
            "proxy": self.proxy,
            "export": self.export,
            "export_state": self.export_state,
            "export_cancel": self.export_cancel,
        }

    def open(self, values: dict[str, Any], caller: Caller) -> Answer:
        """The timeline of an id; "" is the one that was open last, or a new one that has no file yet."""
        args = Arguments(values, ("id",))
        timeline_id = args.text("id") if args.has("id") else ""
        if not timeline_id:
            timeline_id = self.shelf.last_used() or self.shelf.draft(self._plain(caller.language))
        document = self.shelf.open(timeline_id)
        if caller.owner:
            self.shelf.last = timeline_id
        return self.answer(timeline_id, document.state, caller, document)

    def listing(self, values: dict[str, Any], caller: Caller) -> Answer:
        """All timelines, what was brought to the library, and the newest takes."""
        return {
            "timelines": [_entry(entry) for entry in self.shelf.entries()],
            "uploads": self.bin.uploads(),
            "films": self.exports.films(),
            **self.takes({}, caller),
        }

    def takes(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Takes that hold the words of a search, from an offset on."""
        args = Arguments(values, ("search", "offset"))
        search = args.text("search", MAX_SEARCH) if args.has("search") else ""
        offset = min(max(args.whole("offset"), 0), 1_000_000) if args.has("offset") else 0
        page = self.store.page(Query(search=search), BIN_TAKES, offset)
        return {"takes": self.bin.takes(page.takes), "total": page.total}

    def others(self, values: dict[str, Any], caller: Caller) -> Answer:
        """The takes of the same shot as a take, itself left out."""
        kept = self.store.get(Arguments(values, ("take",)).text("take"))
        page = self.store.page(Query(shot_id=kept.shot_id), BIN_TAKES + 1)
        return {"takes": self.bin.takes(tuple(each for each in page.takes if each.take_id != kept.take_id))}

    def strips(self, values: dict[str, Any], caller: Caller) -> Answer:
        """How the clips of a timeline are drawn, as far as that is known; `ready` says that nothing is to come."""
        timeline_id = Arguments(values, ("id",)).text("id")
        document = self.shelf.open(timeline_id)
        state = self.answer(timeline_id, document.state, caller, document)
        shown = [(part, "strip" in part) for part in (*state["clips"], *state["sounds"])]
        drawn = {part["id"]: {"strip": part.get("strip"), "peaks": part["peaks"]} for part, _picture in shown}
        waiting = [part for part, picture in shown if part["url"] and not (part["peaks"] or part.get("strip"))]
        return {"strips": drawn, "ready": not waiting, "revision": state["revision"]}

    def do(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Do a command of `timeline.commands`, "undo" or "redo"."""
        args = Arguments(values, ("id", "revision", "op", "args"))
        timeline_id, op = args.text("id"), args.text("op")
        revision = args.whole("revision") if args.has("revision") else None
        document = self.shelf.open(timeline_id)
        given = values.get("args", {})
        if op == "insert" and not document.saved and not document.state.timeline.clips:
            op, given = "several", {"ops": [*self._as_source(given), {"op": op, "args": given}]}
        state = document.do(op, given, revision, self.library)
        self.proxies.changed(timeline_id, state)
        return self.answer(timeline_id, state, caller, document)

    def _as_source(self, given: Any) -> list[Answer]:
        """The command that gives a film which nobody sized yet the size and rate of its first clip."""
        args = Arguments(given, ("take", "upload", "index", "start", "stop"))
        kind = "take" if args.has("take") else "upload"
        source = self.library(kind, args.text(kind))
        if not source.num_frames:
            return []
        sides = {"width": source.width - source.width % 2, "height": source.height - source.height % 2}
        rate = [source.frame_rate.numerator, source.frame_rate.denominator]
        return [{"op": "film", "args": sides | {"frame_rate": rate}}]

    def new(self, values: dict[str, Any], caller: Caller) -> Answer:
        """A new timeline; size and rate are those of the newest take where none are given."""
        args = Arguments(values, ("name", "width", "height", "frame_rate"))
        plain = self._plain(caller.language)
        name = args.text("name", MAX_SEARCH).strip() if args.has("name") else ""
        width, height = (args.whole(side) if args.has(side) else getattr(plain, side) for side in ("width", "height"))
        rate = args.rate("frame_rate") if args.has("frame_rate") else plain.frame_rate
        timeline_id = self.shelf.create(width, height, rate, name or plain.name)
        return self.open({"id": timeline_id}, caller)

    def rename(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Call a timeline something else."""
        args = Arguments(values, ("id", "name"))
        self.shelf.rename(args.text("id"), args.text("name"))
        return self.listing({}, caller)

    def duplicate(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Copy a timeline and open the copy."""
        return self.open({"id": self.shelf.duplicate(Arguments(values, ("id",)).text("id"))}, caller)

    def delete(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Move a timeline into the trash; `undo` is what `restore` takes."""
        timeline_id = Arguments(values, ("id",)).text("id")
        self.shelf.delete(timeline_id)
        return self.listing({}, caller) | {"undo": timeline_id}

    def restore(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Bring a deleted timeline back and open it."""
        timeline_id = Arguments(values, ("id",)).text("id")
        self.shelf.restore(timeline_id)
        return self.open({"id": timeline_id}, caller)

    def uploaded(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Keep a file that was sent to the page in the library; an .otio file becomes a timeline."""
        args = Arguments(values, ("path", "name"))
        path = uploaded(args.text("path", 4096), "upload", caller.language)
        if path is None:
            raise InputError(say(caller.language, "timeline.error.upload"), field="upload")
        called = args.text("name", MAX_SEARCH) if args.has("name") else path.name
        if called.lower().endswith(".otio"):
            timeline, notes = read_otio(path, called, lambda file: file.resolve().is_relative_to(self.store.root))
            opened = self.open({"id": self.shelf.keep(self.library.relink(timeline))}, caller)
            return opened | {"notes": [*opened["notes"], *(translate(caller.language, note) for note in notes)]}
        name = self.library.bring(path, called)
        return {"upload": self.library.upload_info(name)}

    def files(self, values: dict[str, Any], caller: Caller) -> Answer:
        """A file for other programs; see `file_of`."""
        args = Arguments(values, ("id", "kind"))
        return file_of(self.shelf.open(args.text("id")).state.timeline, args.text("kind"))

    def proxy(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Where the small film for playing stands; see `Proxies.of`."""
        timeline_id = Arguments(values, ("id",)).text("id")
        answer = self.proxies.of(timeline_id, self.shelf.open(timeline_id).state)
        return answer | {"error": translate(caller.language, self.without_folder(answer["error"]))}

    def export(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Begin an export; see `FilmExport.start`."""
        args = Arguments(values, ("id", "preset", "size", "captions"))
        given = {name: args.text(name) for name in ("preset", "size", "captions") if args.has(name)}
        timeline = self.shelf.open(args.text("id")).state.timeline
        wish = Wish(**{"preset": "web"} | given)
        return {"job": self.exports.start(timeline, wish, caller.language)}

    def export_state(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Where the export stands."""
        state = self.exports.state(caller.language)
        return state | {"error": self.without_folder(state["error"])}

    def export_cancel(self, values: dict[str, Any], caller: Caller) -> Answer:
        """Stop the export."""
        return self.exports.cancel(caller.language)

    def append(self, take_id: str, caller: Caller) -> tuple[str, str]:
        """Put a take at the end of the timeline that was open last; its id and name.

        Raises:
            AccessDenied: the caller is a guest.
            InputError: the take cannot be used.
            OutputError: the library cannot be written.
        """
        if not caller.owner:
            raise AccessDenied("Only the owner of this studio may do that; guests make and download takes.")
        timeline_id = self.shelf.last_used() or self.shelf.draft(self._plain(caller.language))
        given = {"id": timeline_id, "op": "insert", "args": {"take": take_id}}
        name = self.do(given, caller)["name"]
        self.shelf.last = timeline_id
        return timeline_id, name or say(caller.language, "timeline.untitled")

    def answer(self, timeline_id: str, state: State, caller: Caller, document: Document) -> Answer:
        """A state as the page gets it."""
        read_only = document.read_only or ("" if caller.owner else say(caller.language, "timeline.guest"))
        offered = self.presets.listing(caller.language)
        return state_of(timeline_id, state, self.media, caller.language, read_only=read_only, presets=offered)

    def without_folder(self, message: str) -> str:
        """A sentence without the library's folder: guests read it too."""
        return message.replace(str(self.store.root), self.store.root.name)

    def _plain(self, language: str) -> Timeline:
        """An empty film in the size and rate of the newest take."""
        name = say(language, "timeline.untitled")
        for kept in self.store.page(limit=1).takes:
            take = kept.take
            try:
                return Timeline(take.width, take.height, exact_rate(take.frame_rate), name)
            except StudioError:
                break
        return Timeline(*_PLAIN, name)


def _entry(entry: Entry) -> Answer:
    return {
        "id": entry.timeline_id,
        "name": entry.name,
        "seconds": entry.seconds,
        "clips": entry.clips,
        "changed": entry.changed,
        "fault": entry.fault,
    }
