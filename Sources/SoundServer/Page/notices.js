// What the page says: messages above the bottom edge, and words for those who hear it.

export const $ = (id) => document.getElementById(id);

const mostShown = 4;

// Shows a message, a line for each text, until it is dismissed. `action` is a button: its name, and what it does; of messages about the same matter
// (`about`) there is one.
export function say(texts, { action, about } = {}) {
  const shown = [texts].flat().map(plain).join("\n");
  const notice = $("notice").content.firstElementChild.cloneNode(true);
  notice.querySelector("p").textContent = shown;
  const button = notice.querySelector(".action");
  button.hidden = !action;
  if (action) {
    button.textContent = action.name;
    button.addEventListener("click", () => { notice.remove(); action.run(); });
  }
  notice.querySelector(".dismiss").addEventListener("click", () => { notice.remove(); $("make").focus(); });
  const messages = $("messages");
  notice.dataset.about = about || shown;
  hush(notice.dataset.about);
  messages.append(notice);
  while (messages.children.length > mostShown) messages.firstElementChild.remove();
}

// Takes a message away that no longer holds.
export function hush(about) {
  for (const notice of [...$("messages").children]) if (notice.dataset.about === about) notice.remove();
}

export function clearMessages() { $("messages").replaceChildren(); }

// Tells screen readers what can be seen already.
export function announce(text) { $("announcer").textContent = text; }

// A sentence without the options of commands, which nobody can give here.
function plain(text) { return text.replace(/\s*\([^()]*--[^()]*\)/g, ""); }

// What a tab remembers when it is loaded anew; nothing where the browser forbids it.
export function remembered(name) {
  try { return sessionStorage.getItem(name); } catch { return null; }
}

export function remember(name, text) {
  try {
    if (text) sessionStorage.setItem(name, text); else sessionStorage.removeItem(name);
  } catch { /* The page works without. */ }
}
