import { Braces, Pencil } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { type FieldSpec, hasExpression, isJsonObject, type Json, type JsonObject } from "../graph";
import { IconButton } from "../ui";
import { ExpressionField } from "./ExpressionField";
import css from "./inspector.module.css";
import { ChoiceField, DateField, DurationField, emptied, MultiChoice, NumberField, PlainText, SecretField, textOf, TimeZoneField, ToggleField } from "./widgets/basic";
import { Conditions } from "./widgets/Conditions";
import { ConnectionPicker } from "./widgets/ConnectionPicker";
import { JsonField } from "./widgets/JsonField";
import { KeyValue } from "./widgets/KeyValue";
import { ListField, ObjectField, Rows } from "./widgets/Rows";
import type { WidgetKind } from "./widgetOf";

// Few steps ask people.
const People = lazy(() => import("./widgets/People"));
const Design = lazy(() => import("./widgets/Design"));
const FilePicker = lazy(() => import("./widgets/FilePicker"));
const TablePicker = lazy(() => import("./widgets/TablePicker"));
const CalendarPicker = lazy(() => import("./widgets/CalendarPicker"));
const ColumnPicker = lazy(() => import("./widgets/ColumnPicker"));
const Colour = lazy(() => import("./widgets/Colour"));
const Picture = lazy(() => import("./widgets/Picture"));
const WorkflowPicker = lazy(() => import("./widgets/WorkflowPicker"));

export interface WidgetProps {
  id: string;
  kind: WidgetKind;
  field: FieldSpec;
  node: string;
  value: Json | undefined;
  path: string;
  config: JsonObject;
  onChange(value: Json | undefined): void;
  invalid: boolean;
  describedBy: string;
  readOnly: boolean;
}

/** Kinds whose value may be data instead: they get a switch between the control and a text with data. */
const SWITCHABLE = new Set<WidgetKind>(["number", "choice", "toggle", "date", "date-time", "duration", "timezone", "people", "file"]);

export function Widget(props: WidgetProps) {
  const { t } = useTranslation("inspector");
  const { kind, field, value, onChange, readOnly } = props;
  // The choice is the person's: what is typed meanwhile must not take the field away from under the caret.
  const [chosen, setChosen] = useState<"data" | "value" | null>(null);
  if (!field.hints.expression || !SWITCHABLE.has(kind)) return <Control {...props} />;
  const asText = chosen === null ? isText(kind, value) : chosen === "data";
  return (
    <div className={css.switchable}>
      <div className={css.switchableField}>{asText ? <TextWithData {...props} /> : <Control {...props} />}</div>
      {!readOnly && (
        <IconButton
          size="sm"
          label={asText ? t("form.useValue") : t("form.useData")}
          icon={asText ? <Pencil size={14} /> : <Braces size={14} />}
          onClick={() => {
            setChosen(asText ? "value" : "data");
            onChange(asText ? (field.schema.default ?? undefined) : "");
          }}
        />
      )}
    </div>
  );
}

/** What the control of this kind cannot show. A text that is to become a number stays where numbers are typed. */
function isText(kind: WidgetKind, value: Json | undefined): boolean {
  if (typeof value !== "string") return false;
  if (hasExpression(value)) return true;
  if (value === "") return false;
  if (kind === "toggle" || kind === "file") return true;
  return (kind === "date" || kind === "date-time") && !/^\d{4}-\d{2}-\d{2}/.test(value);
}

function TextWithData({ field, node, value, onChange, invalid, describedBy, readOnly, kind, path }: WidgetProps) {
  const long = kind === "textarea" || kind === "code";
  return (
    <ExpressionField
      node={node}
      label={field.title}
      value={textOf(value)}
      onChange={(text) => onChange(text === "" ? emptied(field) : text)}
      placeholder={field.hints.placeholder}
      multiline={long}
      mono={kind === "code"}
      invalid={invalid}
      describedBy={describedBy}
      readOnly={readOnly}
      fieldId={path}
    />
  );
}

function Control(props: WidgetProps) {
  const { kind, field } = props;
  switch (kind) {
    case "text":
    case "textarea":
    case "url":
    case "email-list":
    case "code":
    case "cron":
      return field.hints.expression && typeof (props.value ?? "") === "string" ? <TextWithData {...props} /> : <PlainText {...props} />;
    case "people":
      return (
        <Suspense fallback={<PlainText {...props} readOnly />}>
          <People {...props} />
        </Suspense>
      );
    case "number":
      return <NumberField {...props} />;
    case "choice":
      return <ChoiceField {...props} />;
    case "multi-choice":
      return <MultiChoice {...props} />;
    case "toggle":
      return <ToggleField {...props} />;
    case "date":
    case "date-time":
      return <DateField {...props} />;
    case "duration":
      return <DurationField {...props} />;
    case "timezone":
      return <TimeZoneField {...props} />;
    case "secret":
      return <SecretField {...props} />;
    case "key-value":
      return <KeyValue {...props} />;
    case "conditions":
      return <Conditions {...props} />;
    case "connection":
      return <ConnectionPicker {...props} />;
    case "workflow":
      return (
        <Suspense>
          <WorkflowPicker {...props} />
        </Suspense>
      );
    case "design":
      return (
        <Suspense>
          <Design {...props} />
        </Suspense>
      );
    case "file":
      return (
        <Suspense>
          <FilePicker {...props} />
        </Suspense>
      );
    case "data-table":
      return (
        <Suspense>
          <TablePicker {...props} />
        </Suspense>
      );
    case "calendar":
      return (
        <Suspense fallback={<PlainText {...props} readOnly />}>
          <CalendarPicker {...props} />
        </Suspense>
      );
    case "table-column":
      return (
        <Suspense fallback={<PlainText {...props} readOnly />}>
          <ColumnPicker {...props} />
        </Suspense>
      );
    case "colour":
      return (
        <Suspense>
          <Colour {...props} />
        </Suspense>
      );
    case "picture":
      return (
        <Suspense>
          <Picture {...props} />
        </Suspense>
      );
    case "json":
      return <JsonField {...props} />;
    case "cases":
    case "form-fields":
    case "assignments":
    case "rows":
    case "rules":
      return <Rows {...props} />;
    case "list":
      return field.schema.items?.properties ? <Rows {...props} /> : <ListField {...props} />;
    case "object":
      if (field.schema.properties) return <ObjectField {...props} />;
      if (!field.hints.expression) return <KeyValue {...props} />;
      // Mostly one piece of data is chosen here; an object that was written out is edited as JSON.
      return Array.isArray(props.value) || isJsonObject(props.value) ? <JsonField {...props} /> : <TextWithData {...props} />;
    case "schedule":
      return field.schema.properties ? <ObjectField {...props} /> : <PlainText {...props} />;
  }
}
