"""Reading a GGUF file quickly gives what reading it slowly gives."""

from __future__ import annotations

from pathlib import Path

import pytest

gguf = pytest.importorskip("gguf", reason="the transformers extra is not installed: make test")
np = pytest.importorskip("numpy")

from opencodeinterpreter.models.gguf_reading import quick_gguf  # noqa: E402

pytestmark = pytest.mark.transformers


def written(path: Path) -> Path:
    """Write a file with words, numbers and two tensors, one of them quantised."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_token_list(["a", "ü", "你好", ""])
    writer.add_context_length(77)
    weights = np.linspace(-1, 1, 512, dtype=np.float32).reshape(4, 128)
    writer.add_tensor("plain", weights)
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor("packed", gguf.quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_fields_and_tensors_are_the_same(tmp_path: Path) -> None:
    path = written(tmp_path / "m.gguf")
    slow = gguf.GGUFReader(path)
    with quick_gguf():
        quick = gguf.GGUFReader(path)
    assert list(quick.fields) == list(slow.fields)
    for name, field in slow.fields.items():
        assert quick.fields[name].contents() == field.contents()
    for one, other in zip(quick.tensors, slow.tensors, strict=True):
        assert (one.name, one.tensor_type) == (other.name, other.tensor_type)
        np.testing.assert_array_equal(
            gguf.dequantize(one.data, one.tensor_type), gguf.dequantize(other.data, other.tensor_type)
        )


def test_each_file_is_read_once_and_the_reader_is_put_back(tmp_path: Path) -> None:
    path, other = written(tmp_path / "m.gguf"), written(tmp_path / "n.gguf")
    original = gguf.GGUFReader
    with pytest.raises(ValueError, match="stop"), quick_gguf():  # noqa: PT012 - the error has to come from inside
        assert gguf.GGUFReader(path) is gguf.GGUFReader(path)
        assert gguf.GGUFReader(path) is not gguf.GGUFReader(other)
        raise ValueError("stop")
    assert gguf.GGUFReader is original
