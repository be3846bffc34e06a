"""Models of real architectures with a few thousand random weights, saved in the usual format."""

from pathlib import Path
from typing import Any

import colpali_engine.models as engine
import torch
from tokenizers import pre_tokenizers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertTokenizer,
    GemmaTokenizer,
    Idefics3Config,
    Idefics3ImageProcessor,
    NeoMMEConfig,
    NeoMMEForRetrieval,
    NeoMMEImageProcessor,
    NeoMMEProcessor,
    PaliGemmaConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2Tokenizer,
    Qwen2VLImageProcessor,
    SiglipImageProcessor,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
    XLMRobertaTokenizer,
)
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

HIDDEN = 64
TEXT = {
    "hidden_size": HIDDEN,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}
SIGLIP = {
    "model_type": "siglip_vision_model",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
}
_ENCODER = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    # With the usual one, so small a model returns the same for every text.
    "initializer_range": 0.3,
}
_QWEN_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>")
_QWEN_PADS = ("<|image_pad|>", "<|video_pad|>")

_NEOMME_TOKENS = {"document": "doc", "query": "query", "image": "img", "row": "row"}
_NEOMME_TEMPLATE = (
    "{%- for message in messages -%}{{ '<query>' if task == 'query' else '<doc>' }}"
    "{%- for part in message.content -%}{{ '<img>' if part.type == 'image' else part.text }}{%- endfor -%}"
    "{{ '<mask><mask>' if task == 'query' }}{%- endfor -%}"
)


def byte_vocabulary() -> dict[str, int]:
    """Return a vocabulary of single bytes."""
    return {byte: number for number, byte in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}


def qwen_tokenizer() -> Any:
    """Return a tokenizer of bytes with the special tokens of Qwen."""
    return Qwen2Tokenizer(vocab=byte_vocabulary(), merges=[], additional_special_tokens=[*_QWEN_TOKENS, *_QWEN_PADS])


def qwen_text(tokenizer: Any) -> dict[str, Any]:
    """Return the configuration of the text model of ColQwen, whose positions have three axes."""
    return TEXT | {"vocab_size": len(tokenizer), "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]}}


def qwen_ids(tokenizer: Any) -> dict[str, int]:
    """Return the numbers of special tokens that the configuration of ColQwen contains."""
    number = tokenizer.convert_tokens_to_ids
    return {
        "image_token_id": number("<|image_pad|>"),
        "video_token_id": number("<|video_pad|>"),
        "vision_start_token_id": number("<|vision_start|>"),
        "vision_end_token_id": number("<|vision_end|>"),
    }


def qwen_processor() -> Any:
    """Return the processor of ColQwen2.5 with a vocabulary of bytes."""
    return engine.ColQwen2_5_Processor(
        image_processor=Qwen2VLImageProcessor(min_pixels=4 * 28 * 28, max_pixels=64 * 28 * 28),
        tokenizer=qwen_tokenizer(),
        video_processor=Qwen2VLVideoProcessor(),
    )


def qwen(folder: Path) -> Path:
    """Save a ColQwen2.5, which pads on the left and divides a page into patches according to its size."""
    processor = qwen_processor()
    config = Qwen2_5_VLConfig(
        text_config=qwen_text(processor.tokenizer),
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": HIDDEN,
            "patch_size": 14,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        **qwen_ids(processor.tokenizer),
    )
    return save(engine.ColQwen2_5, config, processor, folder)


def colpali(folder: Path) -> Path:
    """Save a ColPali, which resizes every page to a square."""
    tokenizer = GemmaTokenizer(
        vocab={"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3} | shifted(4, byte_vocabulary()), merges=[]
    )
    processor = engine.ColPaliProcessor(
        image_processor=SiglipImageProcessor(size={"height": 56, "width": 56}, image_seq_length=16),
        tokenizer=tokenizer,
    )
    processor.image_processor.image_seq_length = 16
    config = PaliGemmaConfig(
        text_config=TEXT | {"model_type": "gemma", "vocab_size": len(tokenizer), "head_dim": 16, "pad_token_id": 0},
        vision_config=SIGLIP | {"projection_dim": HIDDEN},
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        projection_dim=HIDDEN,
    )
    return save(engine.ColPali, config, processor, folder)


def idefics_processor(kind: Any) -> Any:
    """Return a processor that cuts a page into tiles and adds a thumbnail of the whole."""
    special = ["<|im_start|>", "<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", "<pad>"]
    special += [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    tokenizer = Qwen2Tokenizer(vocab=byte_vocabulary(), merges=[], additional_special_tokens=special, pad_token="<pad>")
    return kind(
        image_processor=Idefics3ImageProcessor(
            size={"longest_edge": 112}, max_image_size={"longest_edge": 56}, do_image_splitting=True
        ),
        tokenizer=tokenizer,
        image_seq_len=4,
    )


def idefics(folder: Path) -> Path:
    """Save a ColIdefics3 (ColSmol), which cuts a page into tiles and adds a thumbnail of the whole."""
    processor = idefics_processor(engine.ColIdefics3Processor)
    tokenizer = processor.tokenizer
    config = Idefics3Config(
        text_config=TEXT | {"model_type": "llama", "vocab_size": len(tokenizer)},
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 56,
            "patch_size": 14,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
        scale_factor=2,
    )
    return save(engine.ColIdefics3, config, processor, folder)


def shifted(first: int, vocabulary: dict[str, int]) -> dict[str, int]:
    """Return the vocabulary with numbers from `first`."""
    return {word: first + number for word, number in vocabulary.items()}


def save(kind: Any, config: Any, processor: Any, folder: Path) -> Path:
    """Save a model of random weights, always the same, with its processor."""
    torch.manual_seed(7)
    kind(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def neomme(folder: Path) -> Path:
    """Save a NeoMME, one encoder for text and pixels, whose chat template distinguishes queries from documents."""
    special = ["<pad>", "<unk>", "<mask>", "<query>", "<row>", "<doc>", "<img>"]
    bytewise = Qwen2Tokenizer(
        vocab={token: number for number, token in enumerate(special)} | shifted(7, byte_vocabulary()), merges=[]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytewise.backend_tokenizer,
        pad_token="<pad>",
        mask_token="<mask>",
        extra_special_tokens={f"{name}_token": f"<{token}>" for name, token in _NEOMME_TOKENS.items()},
    )
    processor = NeoMMEProcessor(
        image_processor=NeoMMEImageProcessor(max_side=256), tokenizer=tokenizer, chat_template=_NEOMME_TEMPLATE
    )
    config = NeoMMEConfig(
        vocab_size=len(tokenizer),
        embedding_rank=16,
        hidden_size=HIDDEN,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        document_token_id=tokenizer.convert_tokens_to_ids("<doc>"),
        image_token_id=tokenizer.convert_tokens_to_ids("<img>"),
    )
    return save(NeoMMEForRetrieval, config, processor, folder)


def xlm_roberta(folder: Path, *, labels: int = 1, positions: int = 514) -> Path:
    """Save a cross-encoder of the architecture of bge-reranker-v2-m3, whose positions start after that of padding."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    letters = ["\u2581", *"abcdefghijklmnopqrstuvwxyz0123456789?.,-<>/"]
    tokenizer = XLMRobertaTokenizer(
        vocab=[*((token, 0.0) for token in special), *((letter, -1.0) for letter in letters)]
    )
    config = XLMRobertaConfig(
        **_ENCODER, vocab_size=len(tokenizer), num_labels=labels, max_position_embeddings=positions, type_vocab_size=1
    )
    return save(XLMRobertaForSequenceClassification, config, tokenizer, folder)


def bert(folder: Path) -> Path:
    """Save a cross-encoder of the architecture of the ms-marco MiniLM, whose types separate query and passage."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789?.,-"
    words = [*special, *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(words)})
    config = BertConfig(**_ENCODER, vocab_size=len(words), num_labels=1)
    return save(BertForSequenceClassification, config, tokenizer, folder)
