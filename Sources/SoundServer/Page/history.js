// The sounds that this browser keeps: the last ones, in IndexedDB.

const mostKept = 60;
const name = "sounds";
let opening = null;

function open() {
  return new Promise((resolve) => {
    let asked;
    try { asked = indexedDB.open("audioldm2", 1); } catch { return resolve(null); }
    asked.onupgradeneeded = () => asked.result.createObjectStore(name, { autoIncrement: true });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => resolve(null);
  });
}

// What `work` asks of the store; undefined if it cannot be had.
async function ask(mode, work) {
  const database = await (opening ??= open());
  return new Promise((resolve) => {
    if (!database) return resolve(undefined);
    const transaction = database.transaction(name, mode);
    const asked = work(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onerror = transaction.onabort = () => resolve(undefined);
  });
}

// All sounds, the oldest first, each with its key.
export async function keptSounds() {
  const items = (await ask("readonly", (sounds) => sounds.getAll())) || [];
  const keys = (await ask("readonly", (sounds) => sounds.getAllKeys())) || [];
  return items.map((item, index) => ({ ...item, key: keys[index] }));
}

// Keeps a sound, and forgets the oldest ones. Returns its key; undefined if this browser keeps nothing.
export async function keepSound(item) {
  const key = await ask("readwrite", (sounds) => sounds.add(item));
  const keys = (await ask("readonly", (sounds) => sounds.getAllKeys())) || [];
  for (const old of keys.slice(0, Math.max(0, keys.length - mostKept))) await forgetSound(old);
  return key;
}

export async function forgetSound(key) {
  if (key !== undefined) await ask("readwrite", (sounds) => sounds.delete(key));
}
