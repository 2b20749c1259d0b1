import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, ExternalLink } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, api, newIdempotencyKey } from "../../api/client";
import { workspacePath } from "../../api/queries";
import { useWorkspace } from "../../api/session";
import type { Connection } from "../../api/types";
import { Button, CheckboxField, Dialog, ErrorCard, PasswordField, SearchBox, SelectField, SkeletonRows, TextAreaField, TextField } from "../../ui";
import css from "./services.module.css";
import { addressOf, loadServices, matching, refusalOf, type Service, type ServiceField } from "./services";

interface ServiceDialogProps {
  onClose: () => void;
  onMade: (made: Connection) => void;
}

/** Whoever has the address of a service need not look for its name. */
const ITSELF: Service = { name: "", scheme: "", setup: "", templates: [], fields: [] };

/** Finds a service, asks for what it needs, and makes a connection of it. */
export function ServiceDialog({ onClose, onMade }: ServiceDialogProps) {
  const { t } = useTranslation(["alerts", "services", "common"]);
  const [chosen, setChosen] = useState<Service | null>(null);
  return (
    <Dialog opened onClose={onClose} title={chosen?.name ? t("service.connect", { name: chosen.name }) : t("service.title")} size={520}>
      {chosen ? <ServiceForm key={chosen.name} service={chosen} onBack={() => setChosen(null)} onMade={onMade} /> : <ServiceList onChoose={setChosen} />}
    </Dialog>
  );
}

function ServiceList({ onChoose }: { onChoose: (service: Service) => void }) {
  const { t } = useTranslation("alerts");
  const [text, setText] = useState("");
  const all = useQuery({ queryKey: ["alert-services"], queryFn: loadServices, staleTime: Infinity });
  const found = useMemo(() => matching(all.data ?? [], text), [all.data, text]);
  const first = found[0];
  return (
    <div className={css.list}>
      <SearchBox first value={text} onChange={setText} label={t("service.search")} onEnter={() => first && text && onChoose(first)} />
      {all.isPending && <SkeletonRows rows={5} label={t("service.loading")} />}
      {all.isError && <ErrorCard title={t("service.notLoaded")} error={all.error} />}
      {all.data && (
        <>
          <p role="status" className={css.count}>
            {t("service.found", { count: found.length })}
          </p>
          <ul className={css.services} aria-label={t("service.title")}>
            {found.map((one) => (
              <li key={`${one.name} ${one.scheme}`}>
                <button type="button" onClick={() => onChoose(one)}>
                  {one.name}
                  <ChevronRight size={15} aria-hidden />
                </button>
              </li>
            ))}
          </ul>
          <Button onClick={() => onChoose(ITSELF)}>{t("service.itself")}</Button>
        </>
      )}
    </div>
  );
}

function ServiceForm({ service, onBack, onMade }: { service: Service; onBack: () => void; onMade: (made: Connection) => void }) {
  const { t } = useTranslation(["alerts", "services", "common"]);
  const workspace = useWorkspace().id;
  const client = useQueryClient();
  const whole = service.fields.length === 0;
  const [name, setName] = useState(service.name);
  const [values, setValues] = useState<Record<string, string>>({});
  const [address, setAddress] = useState("");
  const [encrypted, setEncrypted] = useState(true);
  const [tried, setTried] = useState(false);
  const key = useMemo(newIdempotencyKey, []);
  const made = whole ? (address.trim() ? { address: address.trim() } : { missing: ["address"] }) : addressOf(service, values, encrypted);
  const missing = "missing" in made ? made.missing : [];
  const save = useMutation({
    mutationFn: (to: string) => {
      // A Mattermost is anywhere: only its name says how it is spoken to.
      const format = service.name === "Mattermost" ? "slack" : "auto";
      return api.post<Connection>(`${workspacePath(workspace)}/connections`, { kind: "alert_hook", name: name.trim(), fields: { address: to, format } }, { idempotencyKey: key });
    },
    onSuccess: async (got) => {
      await Promise.all([client.invalidateQueries({ queryKey: [workspace, "connections"] }), client.invalidateQueries({ queryKey: [workspace, "alerts"] })]);
      onMade(got);
    },
  });
  const refused = save.error instanceof ApiError ? save.error.fields : {};
  const wrongAddress = (refused.address ?? refused["fields.address"])?.map(refusalOf).join(" ");
  const wrongName = tried && !name.trim() ? t("common:validation.required") : refused.name?.join(" ");
  const label = (one: ServiceField) => t(`services:fields.${one.label}`, { defaultValue: one.label });
  return (
    <form
      noValidate
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (name.trim() && "address" in made) save.mutate(made.address);
      }}
    >
      <p className={css.lead}>
        {whole ? t("service.wholeLead") : t("service.lead")}{" "}
        {service.setup && (
          <a href={service.setup} target="_blank" rel="noreferrer">
            {t("service.setup", { name: service.name })} <ExternalLink size={13} aria-hidden />
          </a>
        )}
      </p>
      {save.isError && !wrongName && (wrongAddress && !whole ? <p className={css.wrong} role="alert">{wrongAddress}</p> : !wrongAddress && <ErrorCard title={t("service.failed")} error={save.error} />)}
      <TextField label={t("service.name")} hint={t("service.nameHint")} required maxLength={120} autoComplete="off" value={name} error={wrongName} onChange={(event) => setName(event.currentTarget.value)} />
      {whole && (
        <PasswordField
          label={t("service.address")}
          required
          autoComplete="new-password"
          placeholder="https://…"
          value={address}
          error={wrongAddress ?? (tried && !address.trim() ? t("common:validation.required") : undefined)}
          onChange={(event) => setAddress(event.currentTarget.value)}
        />
      )}
      {service.fields.map((one) => (
        <Asked
          key={one.name}
          field={one}
          label={label(one)}
          value={values[one.name] ?? ""}
          error={tried && missing.includes(one.name) ? t("service.needed") : undefined}
          onChange={(value) => setValues((before) => ({ ...before, [one.name]: value }))}
        />
      ))}
      {service.plain && <CheckboxField label={t("service.encrypted")} hint={t("service.encryptedHint")} checked={encrypted} onChange={setEncrypted} />}
      {tried && "missing" in made && missing.length === 0 && (
        <p className={css.wrong} role="alert">
          {t("service.unfit")}
        </p>
      )}
      <div className={css.end}>
        <Button type="button" icon={<ChevronLeft size={15} aria-hidden />} onClick={onBack}>
          {t("service.back")}
        </Button>
        <Button type="submit" variant="primary" busy={save.isPending}>
          {t("service.save")}
        </Button>
      </div>
    </form>
  );
}

/** One thing that a service needs. */
function Asked({ field, label, value, error, onChange }: { field: ServiceField; label: string; value: string; error: string | undefined; onChange: (value: string) => void }) {
  const { t } = useTranslation(["alerts", "common"]);
  const frame = { label, error, ...(field.required ? {} : { aside: t("common:optional") }) };
  if (field.options) return <SelectField {...frame} value={value} options={[{ value: "", label: "–" }, ...field.options.map((one) => ({ value: one, label: one }))]} onChange={onChange} />;
  if (field.list) return <TextAreaField {...frame} rows={2} hint={t("service.several")} spellCheck={false} autoComplete="off" value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
  if (field.secret) return <PasswordField {...frame} autoComplete="new-password" value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
  return <TextField {...frame} autoComplete="off" spellCheck={false} inputMode={field.name === "port" ? "numeric" : "text"} value={value} onChange={(event) => onChange(event.currentTarget.value)} />;
}
