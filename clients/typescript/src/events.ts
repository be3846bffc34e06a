import { InvalidResponse } from "./errors.js";

/** One event of a `text/event-stream`. */
export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

const LONGEST_EVENT = 1024 * 1024;

/** Yield the events of a stream of bytes, as the HTML standard parses them. An incomplete last event is dropped. */
export async function* eventsOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  let event = { id: "", event: "", data: "" };
  for await (const piece of pieces) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        add(event, line);
        continue;
      }
      if (event.data) yield { ...event, event: event.event || "message", data: event.data.slice(0, -1) };
      event = { id: event.id, event: "", data: "" };
    }
    if (rest.length + event.data.length > LONGEST_EVENT) throw new InvalidResponse("An event of the stream is too long.");
  }
}

function add(event: ServerEvent, line: string): void {
  const colon = line.indexOf(":");
  if (colon === 0) return; // a comment
  const field = colon === -1 ? line : line.slice(0, colon);
  const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (field === "data") event.data += `${value}\n`;
  else if (field === "event") event.event = value;
  else if (field === "id" && !value.includes("\0")) event.id = value;
}
