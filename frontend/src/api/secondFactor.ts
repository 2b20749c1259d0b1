/** The second step of one's sign-in: an authenticator app, and recovery codes. */
import { queryOptions } from "@tanstack/react-query";
import { useState } from "react";

import { api, ApiError, newIdempotencyKey } from "./client";

export interface SecondFactor {
  on: boolean;
  since: string | null;
  codes_left: number;
}

/** A new key for an app. `picture`: a `data:` address; `offer` goes back with the first code. */
export interface FactorOffer {
  key: string;
  address: string;
  picture: string;
  offer: string;
}

interface Proof {
  password: string;
  code: string;
}

const PATH = "/me/second-factor";

export const secondFactorQuery = queryOptions({
  queryKey: ["second-factor"],
  queryFn: ({ signal }) => api.get<SecondFactor>(PATH, { signal }),
});

export const offerFactor = () => api.post<FactorOffer>(`${PATH}/offer`, {});

export const turnFactorOn = (said: Proof & { offer: string }) =>
  api.post<{ codes: string[] }>(PATH, said, { idempotencyKey: newIdempotencyKey() });

export const turnFactorOff = (said: Proof) =>
  api.post<undefined>(`${PATH}/off`, said, { idempotencyKey: newIdempotencyKey() });

export const makeRecoveryCodes = (said: Proof) =>
  api.post<{ codes: string[] }>(`${PATH}/codes`, said, { idempotencyKey: newIdempotencyKey() });

export type SaidOfCode = "needed" | "wrong" | "recoveryOnly" | null;

/**
 * What a refused sign-in says of the code: it is wanted, it is wrong, only a recovery code is taken (nobody can look at
 * others here), or nothing of either.
 */
export function saidOfCode(error: unknown): SaidOfCode {
  if (!(error instanceof ApiError) || error.status !== 401) return null;
  if (error.code === "code_needed") return "needed";
  if (error.code === "key_missing") return "recoveryOnly";
  return error.code === "wrong_code" ? "wrong" : null;
}

/** The code of a form that signs in: asked for from when an answer says so, and sent from then on. */
export function useAskedCode() {
  const [code, setCode] = useState("");
  const [asks, setAsks] = useState(false);
  return {
    asks,
    code,
    setCode,
    /** What of it goes with the rest of the form. */
    sent: asks ? { code } : {},
    /** A sign-in was refused. */
    refused: (error: unknown) => {
      const said = saidOfCode(error);
      if (said) setAsks(true);
      if (said && said !== "needed") setCode("");
    },
    /** It is asked for no more, until an answer says so again. */
    forget: () => setAsks(false),
  };
}
