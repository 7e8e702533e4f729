import type { Caption } from "../api/types";
import { useTexts } from "../language/PageLanguage";

const DIGEST_SHOWN = 12;

/** How the answer came about: there for who asks. */
export function Details({ caption }: { caption: Caption }) {
  const texts = useTexts();
  const { image, timings_ms: took, models } = caption;
  return (
    <details className="details">
      <summary>
        {texts.details}
        <span className="glance">
          {texts.milliseconds(took.total)} · {texts.cacheStates[caption.cache]}
        </span>
      </summary>
      <dl>
        <dt>{texts.picture}</dt>
        <dd>
          {image.width} × {image.height}, {image.kind.toUpperCase()}
        </dd>
        <dt>{texts.tookEncoder}</dt>
        <dd>{texts.milliseconds(took.encoder)}</dd>
        <dt>{texts.tookDecoder}</dt>
        <dd>{texts.milliseconds(took.decoder)}</dd>
        <dt>{texts.tookTotal}</dt>
        <dd>{texts.milliseconds(took.total)}</dd>
        <dt>{texts.cache}</dt>
        <dd>{texts.cacheStates[caption.cache]}</dd>
        <dt>{texts.models}</dt>
        <dd>
          <code title={models.encoder}>{shortened(models.encoder)}</code>{" "}
          <code title={models.decoder}>{shortened(models.decoder)}</code>
        </dd>
        <dt>{texts.request}</dt>
        <dd>
          <code>{caption.request_id}</code>
        </dd>
      </dl>
    </details>
  );
}

function shortened(digest: string): string {
  return digest.replace("sha256:", "").slice(0, DIGEST_SHOWN);
}
