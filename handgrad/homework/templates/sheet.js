"use strict";
// What is filled in, as a file to hand in: the same rows as the command `grade` reads.
const button = document.getElementById("save"), student = document.getElementById("student");
const inputs = [...document.querySelectorAll("input[data-name]")];
const quoted = text => '"' + text.replaceAll('"', '""') + '"';
let unsaved = false;
document.addEventListener("input", () => { unsaved = true; });
// The page keeps nothing: whoever leaves it would lose what is filled in.
window.addEventListener("beforeunload", event => { if (unsaved) event.preventDefault(); });
button?.addEventListener("click", () => {
  const rows = [["exercise", button.dataset.code], ["student", student.value],
    ...inputs.map(input => [input.dataset.name, input.value])];
  const text = rows.map(row => row.map(quoted).join(",")).join("\n") + "\n";
  const name = student.value.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv"}));
  link.download = button.dataset.file + (name && "-" + name) + ".csv";
  link.click();
  URL.revokeObjectURL(link.href);
  unsaved = false;
});
