"""Stage 15, afterwards: T5 learns wordings that the UNet has never read, when all else is trained.  For each scene there
is a caption that UNet and GPT-2 know and one in other words: T5 learns to say the second so that the UNet, which stays
as it is, answers as it does to the first.  The gradient comes back through the UNet and, for the LOA, through GPT-2.

Other words are those of wordings.tsv and texts of the teacher's (train_text.py) that lie nearest to a class for MiniLM; the
known caption itself is among them, so that it goes on meaning the same.  Beside this T5 follows MiniLM as in its own
training, so that words in neither list keep their neighbours.  No text here holds a held-out paraphrase.

    python3 train_wordings.py [--data FOLDER] [--device cuda] [--minutes M]
"""

import random

import torch

import captions
import models
from bank import Conditions, captions_of, told
from common import Average, Run, setup, training_parser
from data import SceneBank
from make_tokenizers import corpus
from train_gpt2 import Prompts, generate
from train_text import Student, classes, distances, padded, paraphrases, teacher_set, teacher_vectors
from train_unet import Levels, attention, velocity

KNOWN, GUESSED = 0.2, 0.3  # of the captions: as they were; in words that MiniLM puts into a class
NEAR = 0.45  # the cosine from which MiniLM's nearest class is believed
TEACHER = 0.5  # what following MiniLM counts


def guessed(folder, lines: list[str], vectors: torch.Tensor) -> dict[str, list[str]]:
    """The teacher's short texts by the class that lies nearest, where one is near; a class without any has its phrases.
    Captions are not among them: what they say is known better."""
    labels, known = map(list, zip(*classes().items()))
    flat = teacher_vectors([p for k in known for p in k], "cpu").float()
    means = torch.stack([v.mean(0) for v in flat.split([len(k) for k in known])])
    nearness = vectors @ torch.nn.functional.normalize(means, dim=-1).T
    best, nearest = nearness.max(1)
    found, composed = {label: [] for label in labels}, set(corpus(folder, 11000))
    for line, value, k in zip(lines, best.tolist(), nearest.tolist()):
        if value >= NEAR and line not in composed and " and " not in line and not captions.tells(line):
            found[labels[k]].append(line)
    return {label: found[label] or known[k] for k, label in enumerate(labels)}


class Pairs:
    """Captions in other words, each with the row of the bank whose scene it describes, in groups of one length: GPT-2's
    positions count padding, and a prompt that stands alone has none."""

    def __init__(self, folder, conditions: Conditions, words: list[tuple[dict | None, float]], count: int, frames: int):
        bank = torch.load(folder / "bank/latents.pt", weights_only=True)
        self.table = {k: bank[k] for k in ("clap", "t5", "mask")}
        self.latents, self.each = bank["latents"][:, :, :frames], bank["captions"]
        self.made_loa = torch.load(folder / "bank/generated.pt", weights_only=True)
        scenes = SceneBank(folder, 0).scenes[: len(self.latents)]
        rng, rows, lines = random.Random(0), [], []
        known = told(scenes, self.each)
        effects = [i for i, s in enumerate(scenes) if "events" in s["facts"]]
        for _ in range(count):
            chosen = rng.choices([w for w, _ in words], [p for _, p in words])[0]
            scene = rng.randrange(len(scenes)) if chosen is None else rng.choice(effects)
            row = scene * self.each + 2 * rng.randrange((self.each + 1) // 2)  # an even one: in the classes' own words
            text = known[row] if chosen is None else captions.describe(rng, scenes[scene]["facts"], words=chosen)
            rows.append(row)
            lines.append(text)
        self.rows = torch.tensor(rows)
        self.ids = conditions.t5_tokenizer(lines).input_ids
        parts = [lines[i : i + 256] for i in range(0, count, 256)]
        self.clap = torch.cat([conditions.clap_vectors(p).float().cpu() for p in parts])
        lengths = torch.tensor([len(i) for i in self.ids])
        self.groups = [g for g in Prompts(lengths).same_length(count) if len(g) >= 16]
        self.weights = torch.tensor([len(g) for g in self.groups]).float()

    def batch(self, size: int):
        """(clean latents, (LOA, T5 states, mask) of the known captions, (CLAP vectors, token ids) of the others)."""
        group = self.groups[int(self.weights.multinomial(1))]
        picks = group[torch.randint(0, len(group), (size,))]
        rows = self.rows[picks]
        longest = int(self.table["mask"][rows].sum(1).max())
        _, states, mask = captions_of(self.table, rows, longest)
        ids = torch.tensor([self.ids[i] for i in picks])
        return self.latents[rows // self.each].float(), (self.made_loa[rows].float(), states, mask), (self.clap[picks], ids)


def main():
    p = training_parser(__doc__, steps=12000, batch=32, rate=6e-4)
    p.add_argument("--pairs", type=int, default=60000)
    p.add_argument("--seconds", type=float, default=5.12, help="how much of each scene the UNet answers for")
    args = p.parse_args()
    folder, device, autocast = setup(args)
    lines, vectors = teacher_set(folder, device)
    conditions = Conditions(folder, device)
    guesses = guessed(folder, lines, vectors)
    words = [(None, KNOWN), (guesses, GUESSED), (captions.further(), 1 - KNOWN - GUESSED)]
    pairs = Pairs(folder, conditions, words, args.pairs, int(args.seconds * models.LATENT_RATE))
    print(f"{sum(map(len, guesses.values()))} guessed, {sum(map(len, words[2][0].values()))} further wordings", flush=True)

    tokenizer = conditions.t5_tokenizer
    tokens = tokenizer(lines, truncation=True, max_length=64).input_ids
    student = Student().to(device)
    models.start(student.t5, folder, "t5")
    unet = models.trained_unet(folder).to(device)
    gpt2, projection = (models.load(getattr(models, n)(), folder, n).to(device) for n in ("gpt2", "projection"))
    alphas = models.scheduler().alphas_cumprod.to(device)
    optimizer = torch.optim.AdamW(student.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    average, levels = Average(student, decay=0.998), Levels(device)
    run = Run(folder, "wordings", {"model": student, "optimizer": optimizer, "average": average}, args)
    torch.manual_seed(args.seed + run.step)
    rng = random.Random(args.seed + run.step)
    student.train()
    while not run.finished():
        clean, known, (clap, ids) = pairs.batch(args.batch)
        clean, clap, ids = clean.to(device), clap.to(device), ids.to(device)
        loa, states, mask = (x.to(device) for x in known)
        steps = torch.randint(0, 1000, (len(clean),), device=device)
        signal = alphas[steps][:, None, None, None]
        noisy = signal.sqrt() * clean + (1 - signal).sqrt() * torch.randn_like(clean)
        everything = torch.ones_like(ids)
        with autocast(), attention(device):
            with torch.no_grad():
                wanted = velocity(unet, noisy, steps, loa, states, mask).float()
            said = student.t5(input_ids=ids, attention_mask=everything).last_hidden_state
            made = generate(gpt2, projection, clap, said, everything)
            answered = velocity(unet, noisy, steps, made, said, everything).float()
            part = rng.sample(range(len(lines)), args.batch)
            followed = student(*padded([tokens[i] for i in part], tokenizer.pad_token_id, device))
        error = (answered - wanted).square().mean((1, 2, 3))
        cosine, relation = distances(followed.float(), vectors[part].to(device))
        spoken = (made.float() - loa).square().mean()
        loss = levels.relative(error, steps).mean() + spoken / 2 + TEACHER * (cosine + relation)
        run.set_rate(optimizer)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        average.update(student)
        run.advance(every=50, error=error.mean(), loa=spoken, cosine=cosine, relation=relation)
    run.save()
    average.apply(student)
    models.save(student.t5, folder, "t5")
    student.eval()
    found = paraphrases(lambda lines: student.embed(tokenizer, lines, device))
    print(f"held-out paraphrases next to their class: {found:.3f}")


if __name__ == "__main__":
    main()
