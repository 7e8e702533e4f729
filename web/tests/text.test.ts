import { expect, test } from "vitest";
import { percent } from "../src/language/numbers";
import { PROBLEM_CODES, TEXTS } from "../src/language/texts";
import { altText, imgTag, withEnding } from "../src/share/text";

test("alt texts are sentences", () => {
  expect(altText("a dog runs", "en")).toBe("A dog runs.");
  expect(altText("їжак біжить", "uk")).toBe("Їжак біжить.");
});

test("tags are safe to paste", () => {
  expect(imgTag('my "dog" <1>.jpg', "a dog & a cat", "en")).toBe(
    '<img src="my &quot;dog&quot; &lt;1&gt;.jpg" alt="A dog &amp; a cat." lang="en">',
  );
});

test("file names get a new ending", () => {
  expect(withEnding("IMG 1.jpeg", "json")).toBe("IMG 1.json");
  expect(withEnding("photo", "oko.png")).toBe("photo.oko.png");
});

test("percentages are never 0 or 100 for what is in between", () => {
  expect(percent(0.0003, "en")).toBe("<1%");
  expect(percent(0.834, "en")).toBe("83%");
  expect(percent(0.9999, "en")).toBe("99%");
  expect(percent(1, "en")).toBe("100%");
});

test("every problem has a sentence in both languages", () => {
  for (const texts of Object.values(TEXTS))
    for (const code of PROBLEM_CODES) expect(texts.problems[code]({})).toMatch(/\.$/);
  expect(TEXTS.en.problems["body-too-large"]({ max_bytes: 20 * 2 ** 20 })).toContain("20 MB");
  expect(TEXTS.uk.problems["too-many-pixels"]({ max_pixels: 4e7 })).toContain("40 мегапікселів");
});
