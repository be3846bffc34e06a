import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";

export interface Message {
  body: Buffer;
  headers: IncomingHttpHeaders;
}

/** A web server of the user's: it has one file, and receives messages. */
export interface Elsewhere {
  url: string;
  /** Return the first message that contains the text, once it has arrived. */
  message(text: string): Promise<Message>;
  close(): void;
}

export async function elsewhere(port: number, content: Buffer): Promise<Elsewhere> {
  const messages: Message[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (request.method === "POST") messages.push({ body: Buffer.concat(parts), headers: request.headers });
    response.end(request.method === "GET" ? content : "");
    for (const wake of waiting) wake();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    message: async (text) => {
      for (;;) {
        const found = messages.find((one) => one.body.includes(text));
        if (found) return found;
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
