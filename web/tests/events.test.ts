import { describe, expect, test } from "vitest";
import { EventParser } from "../src/api/events";

const STREAM = 'event: image\ndata: {"width":4}\n\nevent: word\ndata: {"text":"їжак"}\n\n';
const EVENTS = [
  { name: "image", data: '{"width":4}' },
  { name: "word", data: '{"text":"їжак"}' },
];

describe("server-sent events", () => {
  test.each([1, 2, 3, 7, 1000])("arrive whole from pieces of %i characters", (size) => {
    for (const stream of [STREAM, STREAM.replaceAll("\n", "\r\n")]) {
      const parser = new EventParser();
      const pieces = stream.match(new RegExp(`[^]{1,${size}}`, "g"))!;
      expect(pieces.flatMap((piece) => parser.feed(piece))).toEqual(EVENTS);
    }
  });

  test("join their lines, ignore comments and unfinished ends", () => {
    const parser = new EventParser();
    expect(parser.feed(": hello\ndata: a\ndata:b\n\ndata: unfinished\n")).toEqual([
      { name: "message", data: "a\nb" },
    ]);
  });
});
