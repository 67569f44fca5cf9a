"""Makes what the peers load from a GGUF file, every weight dequantised to float32.

    make_model.py MODEL.gguf OUT

writes OUT/hf (a Hugging Face folder, by transformers' own GGUF reader) and OUT/f32.gguf (the same
weights for llama.cpp). Both are written under another name first, so a run cut short leaves nothing
that looks finished.
"""

import shutil
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

KEPT_BY_WRITER = {"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", "general.architecture", "general.file_type"}


def write_hf(source, out):
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    folder, name = str(source.parent), source.name
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    # A model read from GGUF counts as quantised and refuses to be saved; its weights are plain float32.
    config = AutoConfig.from_pretrained(folder, gguf_file=name)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(read.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    part.rename(out)


def write_gguf(source, out):
    part = out.with_name(out.name + ".part")
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(part, architecture)
    for field in reader.fields.values():
        if field.name in KEPT_BY_WRITER:
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, np.ascontiguousarray(values, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(out)


def main():
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "hf").exists():
        write_hf(source, out / "hf")
    if not (out / "f32.gguf").exists():
        write_gguf(source, out / "f32.gguf")


if __name__ == "__main__":
    main()
