import { useId } from "react";

export interface Option {
  readonly value: string;
  readonly label: string;
  /** In full, where the label is an abbreviation. */
  readonly name?: string;
  /** Language of the label, for screen readers. */
  readonly lang: string;
}

interface ChoiceProps {
  readonly label: string;
  readonly options: readonly Option[];
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly className?: string;
}

/** One of a few, side by side: radio buttons underneath, so keyboards and readers know them. */
export function Choice({ label, options, value, onChange, className = "" }: ChoiceProps) {
  const name = useId();
  return (
    <fieldset className={`choice ${className}`}>
      <legend className="unseen">{label}</legend>
      {options.map((option) => (
        <label key={option.value} lang={option.lang} title={option.name}>
          <input
            type="radio"
            className="unseen"
            name={name}
            aria-label={option.name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
