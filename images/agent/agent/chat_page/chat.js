// The chat page: no library, nothing stored, the token in this variable alone. What comes from the agent becomes text,
// never markup.
"use strict";

const by = (id) => document.getElementById(id);
const list = by("messages"), problem = by("problem"), login = by("login"), ask = by("ask");
const message = by("message"), send = by("send"), stop = by("stop");
let token = "", session = null, running = null;

function say(sentence) {
  problem.textContent = sentence;
  problem.hidden = !sentence;
  if (sentence) problem.scrollIntoView({ block: "nearest" });
}

function add(role, text) {
  const item = document.createElement("li"), who = document.createElement("span"), said = document.createElement("span");
  item.className = role;
  who.className = "who";
  who.textContent = role === "user" ? "You" : "Agent";
  said.textContent = text;
  item.append(who, said);
  list.append(item);
  item.scrollIntoView({ block: "end" });
  return { item, said };
}

function busy(now) {
  running = now;
  send.disabled = Boolean(now);
  stop.hidden = !now;
}

// The events of an answer, as they come: {name, data}.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const event = { name: "message", data: "" };
      for (const line of part.split("\n")) {
        if (line.startsWith("event: ")) event.name = line.slice(7);
        if (line.startsWith("data: ")) event.data += line.slice(6);
      }
      yield { name: event.name, data: JSON.parse(event.data) };
    }
  }
}

async function refused(answer) {
  let sentence = `The agent answered ${answer.status}.`;
  try {
    sentence = (await answer.json()).error || sentence;
  } catch { /* What stands before the agent may answer with something else than JSON. */ }
  if (answer.status === 401) {
    login.hidden = false;
    by("token").focus();
    return token ? "This token is not known: enter another one below." : "This agent asks for a token: enter it below.";
  }
  const id = answer.headers.get("X-Request-ID");
  return id && answer.status >= 500 ? `${sentence} (request ${id})` : sentence;
}

async function turn(text) {
  const stopped = new AbortController();
  busy(stopped);
  say("");
  const own = add("user", text);
  let reply = null, complete = false;
  try {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const body = JSON.stringify(session ? { message: text, session_id: session } : { message: text });
    const answer = await fetch("v1/chat/stream", { method: "POST", headers, body, signal: stopped.signal });
    if (!answer.ok) {
      const sentence = await refused(answer);
      own.item.remove();
      // What was written is not lost.
      message.value = text;
      say(sentence);
      return;
    }
    reply = add("assistant", "");
    reply.item.classList.add("writing");
    for await (const { name, data } of events(answer.body)) {
      if (name === "token") {
        const atEnd = list.parentElement.scrollHeight - list.parentElement.scrollTop - list.parentElement.clientHeight < 80;
        reply.said.textContent += data.text;
        if (atEnd) reply.item.scrollIntoView({ block: "end" });
      } else if (name === "done") {
        session = data.session_id;
        complete = true;
      } else if (name === "error") {
        say(data.error);
        return;
      }
    }
    if (!complete) say("The answer broke off: the connection to the agent ended. Send it again.");
  } catch (error) {
    if (stopped.signal.aborted) say("You stopped the answer.");
    else say(reply ? "The answer broke off: the connection to the agent ended. Send it again." : "The agent cannot be reached: check your connection, and try again.");
    if (!reply) {
      own.item.remove();
      message.value = text;
    }
  } finally {
    if (reply) {
      reply.item.classList.remove("writing");
      reply.item.classList.toggle("broken", !complete);
    }
    busy(null);
    if (login.hidden) message.focus();
  }
}

ask.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = message.value.trim();
  if (!text || running) return;
  message.value = "";
  turn(text);
});
message.addEventListener("keydown", (event) => {
  // While a word is put together from several keys, as in Japanese, Enter chooses it.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask.requestSubmit();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running) running.abort();
});
stop.addEventListener("click", () => running && running.abort());
login.addEventListener("submit", (event) => {
  event.preventDefault();
  token = by("token").value.trim();
  by("token").value = "";
  login.hidden = true;
  say("");
  message.focus();
});
by("new").addEventListener("click", () => {
  if (running) running.abort();
  session = null;
  list.replaceChildren();
  say("");
  message.focus();
});
message.focus();
