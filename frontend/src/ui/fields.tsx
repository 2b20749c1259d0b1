import { CircleAlert, Eye, EyeOff, Search, X } from "lucide-react";
import {
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
  useState,
} from "react";
import { useTranslation } from "react-i18next";

import { IconButton } from "./Button";
import { cx } from "./cx";
import css from "./fields.module.css";

export interface FieldFrame {
  label: string;
  /** Stands at the right of the label: "required", "optional", a unit. */
  aside?: string;
  hint?: ReactNode;
  error?: string | undefined;
}

interface FieldProps extends FieldFrame {
  id: string;
  children: ReactNode;
}

/** Label above, control, then hint or error beneath. */
export function Field({ id, label, aside, hint, error, children }: FieldProps) {
  return (
    <div className={css.field}>
      <label className={css.fieldLabel} htmlFor={id}>
        {label}
        {aside && <i>{aside}</i>}
      </label>
      {children}
      {error ? (
        <span className={css.fieldError} id={`${id}-error`}>
          <CircleAlert size={13} aria-hidden />
          <span>{error}</span>
        </span>
      ) : (
        hint !== undefined && (
          <span className={css.fieldHint} id={`${id}-hint`}>
            {hint}
          </span>
        )
      )}
    </div>
  );
}

function described(id: string, frame: FieldFrame) {
  return {
    id,
    "aria-invalid": frame.error ? true : undefined,
    "aria-describedby": frame.error ? `${id}-error` : frame.hint !== undefined ? `${id}-hint` : undefined,
  };
}

function frameOf(frame: FieldFrame): FieldFrame {
  return {
    label: frame.label,
    ...(frame.aside === undefined ? {} : { aside: frame.aside }),
    ...(frame.hint === undefined ? {} : { hint: frame.hint }),
    error: frame.error,
  };
}

type TextFieldProps = FieldFrame &
  Omit<InputHTMLAttributes<HTMLInputElement>, "id"> & { mono?: boolean; ref?: Ref<HTMLInputElement> };

export function TextField({ label, aside, hint, error, className, mono, ...rest }: TextFieldProps) {
  const id = useId();
  const frame = frameOf({ label, error, ...(aside ? { aside } : {}), ...(hint === undefined ? {} : { hint }) });
  return (
    <Field id={id} {...frame}>
      <input {...rest} {...described(id, frame)} className={cx(css.input, mono && "mono", className)} />
    </Field>
  );
}

type TextAreaProps = FieldFrame & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "id"> & { mono?: boolean };

export function TextAreaField({ label, aside, hint, error, className, mono, ...rest }: TextAreaProps) {
  const id = useId();
  const frame = frameOf({ label, error, ...(aside ? { aside } : {}), ...(hint === undefined ? {} : { hint }) });
  return (
    <Field id={id} {...frame}>
      <textarea {...rest} {...described(id, frame)} className={cx(css.input, mono && "mono", className)} />
    </Field>
  );
}

/** A secret with show and hide; pasting and password managers work. */
export function PasswordField({ label, aside, hint, error, className, ...rest }: TextFieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  const { t } = useTranslation("common");
  const frame = frameOf({ label, error, ...(aside ? { aside } : {}), ...(hint === undefined ? {} : { hint }) });
  return (
    <Field id={id} {...frame}>
      <div className={css.passwordBox}>
        <input
          {...rest}
          {...described(id, frame)}
          type={shown ? "text" : "password"}
          spellCheck={false}
          autoCapitalize="off"
          className={cx(css.input, className)}
        />
        <IconButton
          size="sm"
          label={shown ? t("action.hideSecret") : t("action.showSecret")}
          icon={shown ? <EyeOff size={16} /> : <Eye size={16} />}
          onClick={() => setShown(!shown)}
        />
      </div>
    </Field>
  );
}

export interface Option {
  value: string;
  label: string;
  disabled?: boolean;
}

type SelectFieldProps = FieldFrame &
  Omit<SelectHTMLAttributes<HTMLSelectElement>, "id" | "onChange"> & {
    options: readonly Option[];
    onChange: (value: string) => void;
  };

export function SelectField({ label, aside, hint, error, options, onChange, className, ...rest }: SelectFieldProps) {
  const id = useId();
  const frame = frameOf({ label, error, ...(aside ? { aside } : {}), ...(hint === undefined ? {} : { hint }) });
  return (
    <Field id={id} {...frame}>
      <select
        {...rest}
        {...described(id, frame)}
        onChange={(event) => onChange(event.currentTarget.value)}
        className={cx(css.input, className)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.label}
          </option>
        ))}
      </select>
    </Field>
  );
}

export interface SwitchProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: string;
  disabled?: boolean;
}

/** On or off. The label is the accessible name; a visible one stands beside it where the caller wants it. */
export function Switch({ checked, onChange, label, disabled }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={checked}
      aria-label={label}
      disabled={disabled}
      className={css.switch}
      onClick={() => onChange(!checked)}
    />
  );
}

export interface SearchBoxProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
  placeholder?: string;
  ref?: Ref<HTMLInputElement>;
  className?: string | undefined;
  /** Enter takes what was found first. */
  onEnter?: () => void;
  /** The dialog it stands in gives it the focus when it opens. */
  first?: boolean;
}

export function SearchBox({ value, onChange, label, placeholder, ref, className, onEnter, first }: SearchBoxProps) {
  const { t } = useTranslation("common");
  return (
    <div className={cx(css.inputBox, className)} role="search">
      <Search size={15} aria-hidden />
      <input
        ref={ref}
        data-autofocus={first || undefined}
        type="text"
        inputMode="search"
        aria-label={label}
        placeholder={placeholder ?? label}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && value) {
            event.stopPropagation();
            onChange("");
          }
          if (event.key === "Enter" && onEnter) {
            event.preventDefault();
            onEnter();
          }
        }}
      />
      {value && (
        <IconButton size="sm" label={t("action.clear")} icon={<X size={14} />} onClick={() => onChange("")} />
      )}
    </div>
  );
}

export interface RadioChoice {
  value: string;
  label: string;
  hint?: string;
}

export function RadioGroup(props: {
  legend: string;
  name: string;
  value: string;
  choices: readonly RadioChoice[];
  onChange: (value: string) => void;
}) {
  return (
    <fieldset style={{ border: 0, margin: 0, padding: 0 }}>
      <legend className={css.fieldLabel} style={{ padding: 0, marginBottom: 4 }}>
        {props.legend}
      </legend>
      {props.choices.map((choice) => (
        <label key={choice.value} className={css.choice}>
          <input
            type="radio"
            name={props.name}
            value={choice.value}
            checked={props.value === choice.value}
            onChange={() => props.onChange(choice.value)}
          />
          <span>
            {choice.label}
            {choice.hint && <small>{choice.hint}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function CheckboxField(props: {
  label: ReactNode;
  hint?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label className={css.choice}>
      <input
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <span>
        {props.label}
        {props.hint && <small>{props.hint}</small>}
      </span>
    </label>
  );
}
