from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_second_factor"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="start_page",
            field=models.CharField(
                choices=[
                    ("home", "Home"),
                    ("inbox", "Inbox"),
                    ("runs", "Runs"),
                    ("workflows", "Workflows"),
                    ("monitor", "Monitor"),
                ],
                db_default="home",
                default="home",
                max_length=12,
            ),
        ),
    ]
