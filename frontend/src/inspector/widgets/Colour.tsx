import { cx } from "../../ui";
import css from "../inspector.module.css";
import type { WidgetProps } from "../Widget";
import { textOf } from "./basic";
import own from "./colour.module.css";

/** A colour: picked, or typed as `#1f5f8b`. */
export default function Colour({ id, field, value, onChange, invalid, describedBy, readOnly }: WidgetProps) {
  const text = textOf(value);
  const isColour = /^#[0-9a-f]{6}$/i.test(text);
  return (
    <div className={own.colour}>
      <input type="color" aria-label={field.title} value={isColour ? text.toLowerCase() : "#000000"} disabled={readOnly} onChange={(event) => onChange(event.currentTarget.value)} />
      <input
        id={id}
        className={cx(css.input, css.mono)}
        value={text}
        readOnly={readOnly}
        spellCheck={false}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        onChange={(event) => onChange(event.currentTarget.value.trim())}
      />
    </div>
  );
}
