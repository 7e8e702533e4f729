/** The caption's language and the page's are two switches. */
import { expect, test } from "./oko";
import { CAT, MOTORCYCLE } from "./photos";

test("the other language is answered from cached features", async ({ oko, page }) => {
  await oko.open();
  await oko.caption(MOTORCYCLE);
  const answer = oko.answer();
  await page.getByRole("radio", { name: "Українська" }).last().check({ force: true });
  const caption = await answer;
  await oko.settled();

  expect(caption.language).toBe("uk");
  expect(caption.cache).toBe("hit");
  expect(await oko.text()).toBe(caption.caption);
  expect(await oko.text()).toMatch(/\p{Script=Cyrillic}/u);
  await expect(oko.words.first().locator("[lang=uk]")).toBeVisible();

  // Going back asks nothing: that caption is still there.
  let asked = 0;
  page.on("request", (request) => (asked += Number(request.url().includes("/v1/captions"))));
  await page.getByRole("radio", { name: "English" }).last().check({ force: true });
  await oko.settled();
  expect(asked).toBe(0);
});

test("the page speaks Ukrainian, and remembers it", async ({ oko, page }) => {
  await oko.open();
  await page.getByRole("radio", { name: "Українська" }).check({ force: true });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Покажіть Оку фото");
  await expect(page.locator("html")).toHaveAttribute("lang", "uk");
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Покажіть Оку фото");
});

test.describe("a Ukrainian browser", () => {
  test.use({ locale: "uk-UA" });

  test("gets page and captions in Ukrainian", async ({ oko }) => {
    await oko.open();
    const { language } = await oko.caption(CAT);
    expect(language).toBe("uk");
    await expect(oko.copyAlt).toHaveText(/Копіювати/);
  });
});
