import { megabytes, megapixels, numberOf } from "./numbers";
import type { Texts } from "./texts";

export const uk: Texts = {
  name: "Українська",
  brand: "Око",
  title: "Покажіть Оку фото",
  lead: "Воно слово за словом скаже, що на ньому, і підсвітить, куди дивилося на кожному слові.",
  dropHere: "Перетягніть фото сюди",
  choose: "Вибрати фото",
  camera: "Зробити знімок",
  pasteHint: "або вставте з буфера обміну",
  privacy: "Фото надсилаються лише на цей сервер і не зберігаються.",
  examples: "Немає фото під рукою? Спробуйте одне з цих",
  exampleNames: {
    astronaut: "Астронавтка",
    cat: "Кіт",
    coffee: "Чашка кави",
    rocket: "Ракета",
  },
  dropAnywhere: "Відпустіть, і Око подивиться",
  notPhotos: (names) =>
    names.length === 1
      ? `${names.join("")} — не фото, тож Око його пропустило.`
      : `${names.join(", ")} — не фото, тож Око їх пропустило.`,

  pageLanguage: "Мова сторінки",
  captionLanguage: "Мова підпису",
  captionIn: "Мова підпису",
  skip: "Перейти до підпису",
  api: "API",
  home: "Око, почати спочатку",

  photos: "Фото",
  addPhotos: "Додати фото",
  removePhoto: (name) => `Прибрати ${name}`,
  photoNumber: (index, count, name) => `Фото ${index} з ${count}: ${name}`,
  pasted: "Вставлене фото",
  taken: "Щойно зроблене фото",
  photoWaits: "чекає",
  photoFailed: "без підпису",
  cannotShow: "Цей браузер не вміє показувати файли такого типу.",

  looking: "Роздивляюся фото…",
  waiting: "Чекає своєї черги…",
  busy: (seconds) => `Око зайняте; наступна спроба за ${seconds} с…`,
  announce: (caption) => `Підпис: ${caption}`,
  announceWord: (word, percent) => `${word}, певність ${percent}`,
  walkHint: "Наведіть на слово або натискайте ← і →, щоб побачити, куди дивилося Око.",
  walkHintTouch: "Торкніться слова, щоб побачити, куди дивилося Око.",
  words: "Слова підпису",
  play: "Програти слова",
  pause: "Пауза",
  light: "Світло",

  alternatives: "Або, можливо, так",
  score: (percent) => `Оцінка ${percent}`,

  share: "Візьміть із собою",
  copyAlt: "Копіювати як alt-текст",
  copyHtml: "Копіювати як <img alt>",
  downloadJson: "Завантажити JSON",
  downloadPicture: "Завантажити картинку",
  copied: "Скопійовано",
  saved: "Збережено",
  copyFailed: "Браузер не дозволив копіювати.",
  pictureFailed: "Браузер не зміг намалювати цю картинку.",

  details: "Докладніше",
  tookEncoder: "Кодувальник",
  tookDecoder: "Декодувальник",
  tookTotal: "Разом",
  cache: "Ознаки",
  cacheStates: {
    hit: "збережені з минулого разу",
    miss: "обчислені щойно",
    bypass: "обчислені щойно, кеш недоступний",
  },
  picture: "Фото",
  models: "Моделі",
  request: "Запит",
  milliseconds: (value) => `${Math.round(value).toLocaleString("uk")} мс`,

  services: "Служби",
  serviceNames: { gateway: "Шлюз", encoder: "Кодувальник", decoder: "Декодувальник" },
  serviceStates: {
    ok: "працює",
    degraded: "працює, але чогось бракує",
    down: "недоступний",
    unknown: "ще невідомо",
  },

  cameraTitle: "Зробити знімок",
  cameraShoot: "Зняти",
  cameraClose: "Закрити",
  cameraDenied: "Браузер не дав доступу до камери. Дозвольте його в адресному рядку або виберіть фото.",

  tryAgain: "Спробувати ще раз",
  apiKey: "Ключ API",
  useKey: "Скористатися ключем",
  problems: {
    unreachable: () =>
      "Не вдається зв’язатися з Оком. Перевірте, чи працює сервер і чи є з’єднання, і спробуйте ще раз.",
    interrupted: () => "Відповідь обірвалася на півслові. Спробуйте ще раз.",
    "not-an-image": () =>
      "Цей файл — не фото, яке Око вміє читати. Підійдуть JPEG, PNG, WebP, GIF, BMP, TIFF і AVIF.",
    "unsupported-media-type": () => "Файли такого типу не приймаються. Надішліть фото.",
    "corrupt-image": () => "Це фото пошкоджене або неповне. Збережіть його ще раз і повторіть спробу.",
    "empty-image": () => "Цей файл порожній. Виберіть інше фото.",
    "too-many-pixels": (members) => {
      const pixels = numberOf(members, "max_pixels");
      return pixels === null
        ? "У цьому фото забагато пікселів. Зменште його і спробуйте ще раз."
        : `У цьому фото понад ${megapixels(pixels, "uk")} мегапікселів. Зменште його і спробуйте ще раз.`;
    },
    "body-too-large": (members) => {
      const bytes = numberOf(members, "max_bytes");
      return bytes === null
        ? "Цей файл завеликий. Збережіть фото меншим і спробуйте ще раз."
        : `Цей файл більший за ${megabytes(bytes, "uk")} МБ. Збережіть фото меншим і спробуйте ще раз.`;
    },
    "upload-too-slow": () =>
      "Фото надсилалося надто довго. Спробуйте з кращим з’єднанням або з меншим фото.",
    "invalid-parameter": () => "Сервер не зрозумів запит. Оновіть сторінку і спробуйте ще раз.",
    "unknown-language": () => "Цей сервер не має підписів такою мовою. Виберіть іншу.",
    unauthorized: () => "Цей сервер просить ключ API. Введіть свій, щоб продовжити.",
    forbidden: () => "Цей ключ API не прийнято. Перевірте його і введіть ще раз.",
    "rate-limited": () => "Забагато фото за короткий час. Зачекайте хвилинку і спробуйте ще раз.",
    overloaded: () => "Око зараз дуже зайняте. Спробуйте за мить.",
    "service-unavailable": () =>
      "Частина Ока зараз недоступна. Зазвичай вона повертається сама; спробуйте за мить.",
    "model-mismatch": () => "Моделі Ока саме оновлюються. Спробуйте за мить.",
    "shutting-down": () => "Око перезапускається. Спробуйте за мить.",
    "deadline-passed": () => "Око не встигло вчасно. Спробуйте ще раз, може, воно вже вільніше.",
    "internal-error": () =>
      "На сервері щось пішло не так. Спробуйте ще раз; якщо не минеться, скажіть тому, хто ним опікується.",
    unknown: (members) => {
      const detail = members["detail"];
      return typeof detail === "string" && detail
        ? `Сервер відповів: ${detail}`
        : "Сталося щось несподіване. Спробуйте ще раз.";
    },
  },
};
