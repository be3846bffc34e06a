// Reads chosen files into the text areas, which are what is sent.

for (const input of document.querySelectorAll("input[type=file][data-into]")) {
  input.disabled = false;
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (file) document.getElementById(input.dataset.into).value = await file.text();
  });
}
