import { useTexts } from "../language/PageLanguage";
import { useHealth, type Service } from "./useHealth";

const ORDER: readonly Service[] = ["gateway", "encoder", "decoder"];

export function Footer() {
  const texts = useTexts();
  const services = useHealth();
  return (
    <footer className="footer">
      <p>{texts.privacy}</p>
      <ul className="services" aria-label={texts.services}>
        {ORDER.map((service) => {
          const state = texts.serviceStates[services[service]];
          return (
            <li key={service} className={services[service]} title={state}>
              {texts.serviceNames[service]}
              <span className="unseen">: {state}</span>
            </li>
          );
        })}
      </ul>
    </footer>
  );
}
