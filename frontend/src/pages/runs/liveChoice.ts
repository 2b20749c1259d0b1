import { useYesHere } from "../../ui/useYesHere";

/** Whether the list changes while it is read; it does until somebody at this computer says no. */
export const useLiveChoice = (): [boolean, (on: boolean) => void] => useYesHere("millrace.liveRuns");
