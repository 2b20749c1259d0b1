// Sets light or dark before anything is painted.
(function () {
  var choice = "system";
  try {
    choice = localStorage.getItem("millrace.theme") || "system";
  } catch (_) {
    // Storage can be forbidden; the system's choice then holds.
  }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  var root = document.documentElement;
  root.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  root.setAttribute("data-theme", dark ? "dark" : "light");
})();
