(function () {
  "use strict";
  var said = document.getElementById("said");
  function tell(text, button) {
    said.textContent = text;
    var label = button.textContent;
    button.textContent = text;
    setTimeout(function () { button.textContent = label; said.textContent = ""; }, 1500);
  }
  function copy(text, button) {
    if (!navigator.clipboard) { tell("Not allowed here", button); return; }
    navigator.clipboard.writeText(text).then(
      function () { tell("Copied", button); },
      function () { tell("Not allowed here", button); }
    );
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button) { return; }
    if (button.dataset.copy) { copy(button.dataset.copy, button); }
    if (button.dataset.copyFrom) { copy(document.getElementById(button.dataset.copyFrom).textContent, button); }
  });
  function open() {
    var found = location.hash && document.getElementById(location.hash.slice(1));
    var folded = found && found.closest("details");
    if (folded) { folded.open = true; }
  }
  window.addEventListener("hashchange", open);
  open();
})();
